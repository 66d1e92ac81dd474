"""Sealing and opening, by itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.key_ring import KeyRing, Place, SecretUnreadable, key_id, sealed_by

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLACE = Place("webhook_endpoint", "secret", "we_01")
SECRET = "whsec_" + base64.b64encode(b"made up for tests only").decode()
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4), st.binary(), names)
def test_what_is_sealed_opens_where_it_was_written(
    keys: list[bytes], secret: bytes, name: str
) -> None:
    place = Place("idempotency_key", "body", name)
    sealed = KeyRing(keys).seal(secret, place)

    assert secret == b"" or len(secret) < 8 or secret not in sealed
    assert KeyRing([NEW, *reversed(keys)]).open(sealed, place) == secret
    assert sealed_by(sealed) == key_id(keys[0])


@given(st.text(st.characters(codec="utf-8")).map(lambda rest: f"whsec_{rest}"), names)
def test_text_is_sealed_as_text(secret: str, name: str) -> None:
    ring, place = KeyRing([NEW, OLD]), Place("webhook_endpoint", "secret", name)
    sealed = ring.seal_text(secret, place)

    assert sealed.isascii()
    assert "\0" not in sealed
    assert ring.open_text(sealed, place) == secret
    assert sealed_by(sealed) == key_id(NEW)


def test_the_form_is_the_one_that_is_written_down() -> None:
    mark, form, key, octets = KeyRing([OLD]).seal_text(SECRET, PLACE).split(":")

    assert (mark, form, key) == ("sealed", "1", "1568d235")
    assert len(base64.b64decode(octets)) == 24 + len(SECRET) + 16
    # Written by this version, for later ones to open.
    kept = (
        "sealed:1:1568d235:atk/3oFU2t0aLRQAIIm4K6qmEdfU82G45jX1tTQuoVVdoJ1J+pFPbD2O84Z9"
        "Vipg7w0DgYR7qF8uctbmDEAmd3hFtYEdtZEYlpIFWxOj"
    )
    assert KeyRing([OLD]).open_text(kept, PLACE) == "whsec_bWFkZSB1cCBmb3IgdGVzdHMgb25seQ=="


def test_the_same_secret_never_looks_the_same() -> None:
    ring = KeyRing([OLD])

    assert len({ring.seal_text(SECRET, PLACE) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("webhook_endpoint", "secret", "we_02"),
        Place("webhook_endpoint", "former_secret", "we_01"),
        Place("idempotency_key", "secret", "we_01"),
        Place("webhook_endpoin", "tsecret", "we_01"),
    ],
)
def test_what_was_moved_does_not_open(elsewhere: Place) -> None:
    ring = KeyRing([OLD])
    with pytest.raises(SecretUnreadable, match="sealed for another place"):
        ring.open_text(ring.seal_text(SECRET, PLACE), elsewhere)
    with pytest.raises(SecretUnreadable, match="sealed for another place"):
        ring.open(ring.seal(SECRET.encode(), PLACE), elsewhere)


@given(st.data())
def test_no_byte_of_it_can_be_another(data: st.DataObject) -> None:
    ring = KeyRing([OLD])
    sealed = ring.seal(SECRET.encode(), PLACE)
    at = data.draw(st.integers(len("sealed:"), len(sealed) - 1))
    other = data.draw(st.integers(1, 255))
    changed = sealed[:at] + bytes([sealed[at] ^ other]) + sealed[at + 1 :]

    with pytest.raises(SecretUnreadable):
        ring.open(changed, PLACE)
    with pytest.raises(SecretUnreadable):
        ring.open(sealed[:at], PLACE)


@pytest.mark.parametrize(
    "spoilt",
    [
        "sealed:",
        "sealed:1",
        "sealed:1:1568d235",
        "sealed:1:1568d235:",
        "sealed:1:1568d235:%%%%",
        "sealed:1:1568d235:AAAA",
        "sealed:2:1568d235:" + "A" * 80,
        "sealed:1:1568d235:x:" + "A" * 80,
        "sealed::::",
        "sealed:1:\N{GREEK SMALL LETTER ALPHA}:AAAA",
    ],
)
@pytest.mark.parametrize("ring", [KeyRing([OLD]), KeyRing()])
def test_what_was_spoilt_is_never_a_secret(spoilt: str, ring: KeyRing) -> None:
    with pytest.raises(SecretUnreadable):
        ring.open_text(spoilt, PLACE)
    with pytest.raises(SecretUnreadable):
        ring.open(spoilt.encode(), PLACE)


def test_what_does_not_open_is_told_by_its_names_alone() -> None:
    sealed = KeyRing([OLD]).seal_text(SECRET, PLACE)

    with pytest.raises(SecretUnreadable) as refusal:
        KeyRing([NEW]).open_text(sealed, PLACE)

    assert str(refusal.value) == (
        f"webhook_endpoint.secret of we_01, sealed by the key {key_id(OLD)}: "
        "the key is not on the ring"
    )
    assert SECRET not in repr(refusal.value)
    assert sealed.rpartition(":")[2] not in repr(refusal.value)
    assert OLD.hex() not in repr(KeyRing([OLD]))
    assert repr(OLD) not in repr(KeyRing([OLD]))


@pytest.mark.parametrize("ring", [KeyRing(), KeyRing([OLD], seals=False)])
def test_without_a_key_that_seals_all_is_clear(ring: KeyRing) -> None:
    assert ring.sealing is None
    assert ring.seal_text(SECRET, PLACE) == SECRET
    assert ring.seal(b"{}", PLACE) == b"{}"


def test_a_ring_that_does_not_seal_opens() -> None:
    sealed = KeyRing([OLD]).seal_text(SECRET, PLACE)

    assert KeyRing([OLD], seals=False).open_text(sealed, PLACE) == SECRET


def test_what_lies_in_clear_is_read_as_it_is() -> None:
    ring = KeyRing([OLD])

    assert ring.open_text(SECRET, PLACE) == SECRET
    assert ring.open(b'{"sealed:": 1}', PLACE) == b'{"sealed:": 1}'


def test_what_is_sealed_is_not_sealed_again() -> None:
    ring = KeyRing([NEW])
    sealed = KeyRing([OLD]).seal_text(SECRET, PLACE)

    assert ring.seal_text(sealed, PLACE) == sealed


def reading(*files: list[bytes]) -> Callable[[], list[bytes]]:
    versions = iter(files)
    return lambda: next(versions)


def test_a_key_that_others_seal_with_already_is_learnt() -> None:
    ring = KeyRing([OLD], reread=reading([NEW, OLD]))
    sealed = KeyRing([NEW, OLD]).seal_text(SECRET, PLACE)

    assert ring.open_text(sealed, PLACE) == SECRET
    assert ring.sealing == key_id(NEW)
    assert ring.open_text(KeyRing([OLD]).seal_text(SECRET, PLACE), PLACE) == SECRET


def test_a_ring_that_cannot_be_read_again_stays_as_it_is() -> None:
    ring = KeyRing([OLD], reread=list)
    with pytest.raises(SecretUnreadable):
        ring.open_text(KeyRing([NEW]).seal_text(SECRET, PLACE), PLACE)

    assert ring.ids == [key_id(OLD)]


def test_a_ring_is_not_read_again_for_each_value() -> None:
    asked: list[int] = []

    def reread() -> list[bytes]:
        asked.append(1)
        return [OLD]

    ring, sealed = KeyRing([OLD], reread=reread), KeyRing([NEW]).seal_text(SECRET, PLACE)
    for _ in range(50):
        with pytest.raises(SecretUnreadable):
            ring.open_text(sealed, PLACE)

    assert len(asked) == 1


def test_what_does_not_open_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    ring, sealed = KeyRing([NEW]), KeyRing([OLD]).seal_text(SECRET, PLACE)

    assert [ring.opened_text(sealed, PLACE) for _ in range(3)] == [sealed] * 3
    assert len(caplog.records) == 1
    assert sealed not in caplog.text
