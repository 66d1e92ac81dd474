"""The escrow contract's calls, events and terms (``contracts/src/SwitchyardEscrow.sol``).

The signatures are written out, so that nothing is read from disk in the API's process; a test
compares every one of them with the compiled contract's ABI.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import attrs
from eth_hash.auto import keccak

from adapters.evm.abi import WORD, address_word, selector, topic, uint_word
from adapters.evm.names import (
    ZERO_ADDRESS,
    chain_number,
    check_address,
    is_native,
    token_of,
)

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import AssetId, ChainId

TERMS_TYPE: Final = "(bytes32,address,address,uint256,uint16,uint48,uint48,uint48)"
"""``Terms``: ref, merchant, token, amount, feeBps, payBy, autoReleaseAt, refundUntil."""

PAY: Final = f"pay({TERMS_TYPE})"
RELEASE: Final = f"release({TERMS_TYPE})"
RELEASE_BATCH: Final = f"releaseBatch({TERMS_TYPE}[])"
REFUND: Final = f"refund({TERMS_TYPE})"
APPROVE: Final = "approve(address,uint256)"
PAYMENTS: Final = "payments(bytes32)"
PUSH_GAS_CAP: Final = "pushGasCap()"

PAID: Final = "Paid(bytes32,bytes32,address,address,address,uint256,uint16,uint48,uint48,uint48)"
RELEASED: Final = "Released(bytes32,bytes32,uint256,uint256,address,uint8,address)"
REFUNDED: Final = "Refunded(bytes32,bytes32,uint256,uint8,address)"
DISPUTED: Final = "Disputed(bytes32,bytes32,uint256,uint8,address)"
RESOLVED: Final = "Resolved(bytes32,bytes32,uint256,uint256,uint256,address,address)"
CREDITED: Final = "Credited(address,address,bytes32,uint256)"
WITHDRAWN: Final = "Withdrawn(address,address,address,uint256)"
SKIPPED: Final = "Skipped(bytes32,uint8,uint8)"
"""Read in receipts of our own batches alone: anybody can have the contract say it of anything."""

EVENTS: Final = (PAID, RELEASED, REFUNDED, DISPUTED, RESOLVED, CREDITED, WITHDRAWN, SKIPPED)
TOPICS: Final = {signature: topic(signature) for signature in EVENTS}

AMOUNT_BITS: Final = 128
"""The contract takes no larger amounts (``AmountOutOfRange``)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_SELECTORS = {signature: selector(signature) for signature in (PAY, RELEASE, REFUND, APPROVE)}


@attrs.frozen
class UnpayableTerms(ValueError):
    """The contract cannot express these terms, or would never take a payment of them."""

    field: str
    value: object


def payment_id(terms: EscrowTerms) -> bytes:
    """Hash terms as the contract's ``paymentId`` does.

    The hash is over ten words: chain id, contract, and the eight members of ``Terms``.

    Raises:
        UnpayableTerms: the contract cannot express them.
    """
    place = uint_word(chain_number(terms.chain)) + address_word(check_address(terms.contract))
    return keccak(place + terms_words(terms))


def call_with_terms(signature: str, terms: EscrowTerms) -> bytes:
    """Return the call data of `PAY`, `RELEASE` or `REFUND`.

    Raises:
        UnpayableTerms: the contract cannot express the terms.
    """
    return _SELECTORS[signature] + terms_words(terms)


def approve_call(spender: str, amount: int) -> bytes:
    """Return the call data with which an ERC-20 token's holder lets somebody take an amount."""
    return _SELECTORS[APPROVE] + address_word(spender) + uint_word(amount)


def terms_words(terms: EscrowTerms) -> bytes:
    """Encode ``Terms``: eight words, since all members are of static types.

    Raises:
        UnpayableTerms: a member does not fit.
    """
    reference = terms.reference
    if not 0 < len(reference) <= WORD or not reference.isascii():
        raise UnpayableTerms("reference", reference)
    amount = terms.money.amount
    if not 0 < amount < 1 << AMOUNT_BITS:
        raise UnpayableTerms("amount", amount)
    return b"".join(
        (
            reference.encode("ascii").ljust(WORD, b"\0"),
            address_word(check_address(terms.merchant)),
            address_word(token_or_zero(terms.money.asset, chain=terms.chain)),
            uint_word(amount),
            uint_word(terms.fees.bps),
            uint_word(_seconds(terms.pay_by)),
            uint_word(_seconds(terms.auto_release_at)),
            uint_word(_seconds(terms.refund_until)),
        )
    )


def token_or_zero(asset: AssetId, *, chain: ChainId) -> str:
    """Return the address under which the contract keeps an asset: zero for the native coin.

    Raises:
        NotOnThisChain: the asset is of another chain.
    """
    return ZERO_ADDRESS if is_native(asset, chain=chain) else token_of(asset, chain=chain)


def _seconds(at: datetime) -> int:
    """Return whole Unix seconds, a fraction cut off, computed on integers."""
    return (at - _EPOCH) // _SECOND
