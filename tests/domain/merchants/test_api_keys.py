from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merchants.api_keys import (
    ENTROPY_BYTES,
    PREFIXES,
    MalformedApiKey,
    digest,
    mask,
    write,
)
from domain.shared.modes import Mode

entropies = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)
DIGITS = string.digits + string.ascii_letters


@given(entropies, st.sampled_from(Mode))
def test_a_key_is_a_prefix_a_secret_and_a_checksum(entropy: bytes, mode: Mode) -> None:
    text = write(entropy, mode)

    assert text.startswith(f"sy_{mode}_")
    assert len(text) == len(PREFIXES[mode]) + 32 + 6
    assert set(text.removeprefix(PREFIXES[mode])) <= set(DIGITS)
    assert digest(text) == hashlib.sha256(text.encode()).digest()


def test_what_is_shown_of_a_key_is_its_beginning_and_its_end() -> None:
    text = write(bytes(range(32)), Mode.LIVE)

    assert mask(text) == f"sy_live_{text[8:12]}…{text[-4:]}"


@given(entropies, entropies)
def test_other_entropy_makes_another_key(one: bytes, other: bytes) -> None:
    assert (write(one) == write(other)) == (one == other)


@given(st.data(), entropies)
def test_any_one_character_typo_is_refused(data: st.DataObject, entropy: bytes) -> None:
    text = write(entropy)
    place = data.draw(st.integers(0, len(text) - 1))
    typo = data.draw(st.sampled_from([c for c in DIGITS + "_-" if c != text[place]]))

    with pytest.raises(MalformedApiKey):
        digest(text[:place] + typo + text[place + 1 :])


@given(st.data(), entropies)
def test_a_lost_or_doubled_character_is_refused(data: st.DataObject, entropy: bytes) -> None:
    text = write(entropy)
    place = data.draw(st.integers(0, len(text) - 1))

    for mangled in (text[:place] + text[place + 1 :], text[:place] + text[place] + text[place:]):
        with pytest.raises(MalformedApiKey):
            digest(mangled)


@pytest.mark.parametrize("text", ["", "sy_test_", "Bearer x", "x" * 46, "ü" * 46])
def test_what_was_never_a_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedApiKey):
        digest(text)
