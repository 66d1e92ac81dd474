"""What every signer of documents and every check of signatures keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from ports.signatures import DocumentSigner, SignatureCheck

KEY = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
DOCUMENT = b'{"format":"switchyard-statement/1"}'


class SignaturesContract:
    def signer(self, number: int = 0) -> DocumentSigner:
        """Return one of several signers, each with a key of its own."""
        raise NotImplementedError

    def check(self) -> SignatureCheck:
        raise NotImplementedError

    def test_a_signature_is_verified_by_its_key_alone(self) -> None:
        ours, theirs, check = self.signer(), self.signer(1), self.check()
        signature = ours.sign(DOCUMENT)

        assert KEY.fullmatch(ours.public_key)
        assert SIGNATURE.fullmatch(signature)
        assert check.verifies(DOCUMENT, signature=signature, public_key=ours.public_key)
        assert not check.verifies(DOCUMENT, signature=signature, public_key=theirs.public_key)

    def test_the_same_bytes_have_the_same_signature(self) -> None:
        assert self.signer().sign(DOCUMENT) == self.signer().sign(DOCUMENT)
        assert self.signer().sign(DOCUMENT) != self.signer(1).sign(DOCUMENT)

    @given(st.binary(max_size=200), st.data())
    def test_a_document_with_one_bit_changed_is_another(
        self, document: bytes, data: st.DataObject
    ) -> None:
        signer, check = self.signer(), self.check()
        signature = signer.sign(document)
        bit = data.draw(st.integers(0, 8 * len(document) + 7))
        other = bytearray(document + b"\0")
        other[bit // 8] ^= 1 << bit % 8

        assert not check.verifies(bytes(other), signature=signature, public_key=signer.public_key)

    @given(st.text(max_size=140), st.text(max_size=70))
    def test_what_is_no_key_or_no_signature_verifies_nothing(
        self, signature: str, key: str
    ) -> None:
        signer, check = self.signer(), self.check()

        assert not check.verifies(DOCUMENT, signature=signature, public_key=signer.public_key)
        assert not check.verifies(DOCUMENT, signature=signer.sign(DOCUMENT), public_key=key)
