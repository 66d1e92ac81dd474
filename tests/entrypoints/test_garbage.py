from __future__ import annotations

import gc

from entrypoints.garbage import THRESHOLDS, collecting_seldom


def test_a_server_leaves_a_process_as_it_found_it() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with collecting_seldom():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > frozen + 1000
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
