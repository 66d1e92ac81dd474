from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.keys.local_wrappers import (
    COST_LOG2_MIN,
    FileKeyWrapper,
    PassphraseKeyWrapper,
    create_wrapping_key,
)
from adapters.keys.sealing import NotAuthentic, Sealed, open_sealed, seal
from adapters.system.secret_files import KeyFileRefused, create_secret
from ports.key_wrapper import WrappedKeyRefused
from tests.contracts.key_wrapper import CONTEXT, DATA_KEY, KeyWrapperContract

if TYPE_CHECKING:
    from pathlib import Path

    from ports.key_wrapper import KeyWrapper

PHRASE = b"correct horse battery staple"


class TestFile(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, tmp_path: Path) -> KeyWrapper:
        create_wrapping_key(tmp_path / "kek")
        return FileKeyWrapper.from_file("2026-11", tmp_path / "kek")

    @pytest.fixture
    def other(self) -> KeyWrapper:
        return FileKeyWrapper("2026-11", b"\x22" * 32)


class TestPassphrase(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self) -> KeyWrapper:
        return PassphraseKeyWrapper("phrase", PHRASE, cost_log2=COST_LOG2_MIN)

    @pytest.fixture
    def other(self) -> KeyWrapper:
        return PassphraseKeyWrapper("phrase", PHRASE + b"s", cost_log2=COST_LOG2_MIN)


def test_aes_gcm_is_the_one_of_the_standard() -> None:
    # McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    sealed = Sealed(
        bytes.fromhex("cafebabefacedbaddecaf888"),
        bytes.fromhex(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        ),
        bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b"),
    )
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")

    opened = open_sealed(key, sealed, bound_to=bound)

    assert opened.hex().startswith("d9313225f88406e5a55909c5aff5269a")
    assert Sealed.unpack(sealed.packed) == sealed


@pytest.mark.parametrize("tag_bytes", [0, 4, 12, 15])
def test_a_shortened_tag_opens_nothing(tag_bytes: int) -> None:
    sealed = seal(b"\x11" * 32, b"hush", bound_to=b"")
    shortened = Sealed(sealed.nonce, sealed.ciphertext, sealed.tag[:tag_bytes])

    with pytest.raises(NotAuthentic):
        open_sealed(b"\x11" * 32, shortened, bound_to=b"")


def test_a_passphrase_is_never_stretched_for_less_than_it_should_be() -> None:
    wrapper = PassphraseKeyWrapper("phrase", PHRASE, cost_log2=COST_LOG2_MIN)
    wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)

    for cost in (0, 1, COST_LOG2_MIN - 1, COST_LOG2_MIN + 1, 21, 255):
        with pytest.raises(WrappedKeyRefused):
            wrapper.unwrap(bytes([cost]) + wrapped[1:], context=CONTEXT)
    # Not even what was truly wrapped so, by a program that knew no better.
    wrapper._cost_log2 = 1  # type: ignore[misc]  # It is final.
    cheap = wrapper.wrap(DATA_KEY, context=CONTEXT)
    with pytest.raises(WrappedKeyRefused):
        wrapper.unwrap(cheap, context=CONTEXT)
    with pytest.raises(ValueError, match=r"2\*\*15"):
        PassphraseKeyWrapper("phrase", PHRASE, cost_log2=COST_LOG2_MIN - 1)


def test_a_short_passphrase_is_refused_and_not_repeated(tmp_path: Path) -> None:
    create_secret(tmp_path / "phrase", b"  swordfish 1234\n")

    with pytest.raises(KeyFileRefused, match="at least 16") as refusal:
        PassphraseKeyWrapper.from_file("phrase", tmp_path / "phrase")

    assert "swordfish" not in str(refusal.value)


def test_a_passphrase_is_read_without_what_is_around_it(tmp_path: Path) -> None:
    create_secret(tmp_path / "phrase", b" " + PHRASE + b"\n")
    wrapped = PassphraseKeyWrapper("phrase", PHRASE).wrap(DATA_KEY, context=CONTEXT)

    read = PassphraseKeyWrapper.from_file("phrase", tmp_path / "phrase")

    assert read.unwrap(wrapped, context=CONTEXT) == DATA_KEY
