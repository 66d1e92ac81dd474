from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.stars.till import new_till

if TYPE_CHECKING:
    from tests.domain.stars.till import Till


@pytest.fixture
async def till() -> Till:
    return await new_till()
