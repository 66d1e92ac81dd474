"""E-mail addresses: one way to write each."""

from __future__ import annotations

import pytest

from domain.people.email import LETTERS_MAX, MalformedEmail, fold


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@Example.COM\n", "ada@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ada+shop@mail.example.com", "ada+shop@mail.example.com"),
    ],
)
def test_an_address_is_stored_in_one_case(written: str, stored: str) -> None:
    assert fold(written) == stored
    assert fold(fold(written)) == stored


@pytest.mark.parametrize(
    "text",
    [
        *("", "ada", "@example.com", "ada@", "ada@example", "a da@example.com", "a@b@example.com"),
        *("ada@example.com.", "ada@.", f"{'a' * 65}@example.com"),
        f"ada@{'x' * LETTERS_MAX}.com",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedEmail):
        fold(text)
