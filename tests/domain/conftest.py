from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.domain.world import World


@pytest.fixture
async def world() -> World:
    from tests.domain.world import new_world  # noqa: PLC0415 (only then is it rewritten)

    return await new_world()
