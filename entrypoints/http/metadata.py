"""Metadata as the API takes it: with a new object, or as a change of what there is."""

from __future__ import annotations

from typing import Annotated

import attrs

from domain.shared.metadata import ENTRIES_MAX, KEY_MAX, VALUE_MAX
from entrypoints.http.schema import Amendment, Mapping

Metadata = Annotated[
    dict[str, str],
    Mapping(
        max_entries=ENTRIES_MAX,
        max_key=KEY_MAX,
        max_value=VALUE_MAX,
        description="Your own words, given back as they came.",
        example={"order": "1042"},
    ),
]
MetadataChange = Annotated[
    dict[str, str | None],
    Amendment(
        # All that there is may go, and as much be new.
        max_entries=2 * ENTRIES_MAX,
        max_key=KEY_MAX,
        max_value=VALUE_MAX,
        description="What is to be different: an entry that is null or has no text is removed, "
        f"and what is not named stays. An object has at most {ENTRIES_MAX} entries.",
        example={"order": "1042", "draft": None},
    ),
]


@attrs.frozen(kw_only=True)
class ChangeMetadata:
    """What is to be different of an object's metadata; nothing else of it is changed."""

    metadata: MetadataChange
