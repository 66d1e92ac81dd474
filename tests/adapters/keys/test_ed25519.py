from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from adapters.keys.ed25519 import (
    Ed25519Check,
    Ed25519Signer,
    create_signing_key,
)
from adapters.system.secret_files import KeyFileRefused
from tests.contracts.signatures import SignaturesContract

if TYPE_CHECKING:
    from pathlib import Path

    from ports.signatures import DocumentSigner, SignatureCheck

VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]
"""RFC 8032, 7.1, tests 1 and 2: seed, public key, message, signature."""


class TestEd25519(SignaturesContract):
    def signer(self, number: int = 0) -> DocumentSigner:
        return Ed25519Signer(bytes([number] * 32))

    def check(self) -> SignatureCheck:
        return Ed25519Check()


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_it_signs_as_the_standard_says(
    seed: str, public: str, message: str, signature: str
) -> None:
    signer = Ed25519Signer(bytes.fromhex(seed))

    assert signer.public_key == public
    assert signer.sign(bytes.fromhex(message)) == signature


class TestKeyFile:
    def test_a_new_key_is_read_again(self, tmp_path: Path) -> None:
        file = tmp_path / "key"

        public_key = create_signing_key(file)

        assert Ed25519Signer.from_file(file).public_key == public_key
        assert file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(FileExistsError):
            create_signing_key(file)

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o700])
    def test_one_that_others_may_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        file = tmp_path / "key"
        create_signing_key(file)
        file.chmod(mode)

        with pytest.raises(KeyFileRefused):
            Ed25519Signer.from_file(file)

    def test_a_link_is_refused_and_so_is_a_folder_and_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        create_signing_key(file)
        (tmp_path / "link").symlink_to(file)

        for name in ("link", ".", "none"):
            with pytest.raises(KeyFileRefused):
                Ed25519Signer.from_file(tmp_path / name)

    @pytest.mark.parametrize("text", ["", "ab", "x" * 64, "ab" * 33, "\xff" * 64])
    def test_what_holds_no_key_is_refused_and_never_shown(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "key"
        file.write_text(text)
        file.chmod(0o600)

        with pytest.raises(KeyFileRefused) as refusal:
            Ed25519Signer.from_file(file)

        assert not text or text not in str(refusal.value)


def test_a_signer_shows_no_key_and_stays_in_its_process() -> None:
    signer = Ed25519Signer(b"\x11" * 32)

    assert "11" * 8 not in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)
