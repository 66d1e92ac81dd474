"""Merchants' own words, and what becomes of them by a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.metadata import ENTRIES_MAX, TooMuchMetadata, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = st.text("abc", min_size=1, max_size=2)
BEFORE = st.dictionaries(KEYS, st.text(max_size=2))
CHANGES = st.dictionaries(KEYS, st.none() | st.text(max_size=2))


def test_what_is_named_is_set_or_removed_and_the_rest_stays() -> None:
    before = {"order": "1042", "tier": "gold", "note": "call him", "empty": ""}
    changes = {"tier": "silver", "note": None, "ticket": "7"}
    assert merged(before, changes) == {
        "order": "1042",
        "tier": "silver",
        "ticket": "7",
        "empty": "",
    }
    assert merged(before, {"order": "", "empty": ""}) == {"tier": "gold", "note": "call him"}
    assert merged(before, {"nobody's": None, "also": ""}) == before
    assert merged({}, {}) == {}


@given(before=BEFORE, changes=CHANGES)
def test_a_change_that_is_made_again_changes_nothing(
    before: Mapping[str, str], changes: Mapping[str, str | None]
) -> None:
    once = merged(before, changes)
    assert merged(once, changes) == once
    for key in {*before, *changes}:
        wanted = (changes[key] or None) if key in changes else before[key]
        assert once.get(key) == wanted


def test_there_are_so_many_entries_after_a_change() -> None:
    full = {str(n): "v" for n in range(ENTRIES_MAX)}
    assert merged({}, full) == full
    assert len(merged(full, {"0": None, "another": "v"})) == ENTRIES_MAX
    assert merged(full, {**dict.fromkeys(full), "a": "b"}) == {"a": "b"}
    with pytest.raises(TooMuchMetadata) as refused:
        merged(full, {"another": "v"})
    assert refused.value.maximum == ENTRIES_MAX
