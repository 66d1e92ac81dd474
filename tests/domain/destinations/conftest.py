from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.domain.destinations.till import Tills
    from tests.domain.world import World


@pytest.fixture
def tills(world: World) -> Tills:
    from tests.domain.destinations.till import Tills  # noqa: PLC0415 (only then is it rewritten)

    return Tills.over(world, cool_down=timedelta(hours=24))
