from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# Without this a failed assertion of the world's own checks would show nothing but its line.
pytest.register_assert_rewrite("tests.domain.world")

if TYPE_CHECKING:
    from tests.domain.world import World


@pytest.fixture
async def world() -> World:
    from tests.domain.world import new_world  # noqa: PLC0415 (only then is it rewritten)

    return await new_world()
