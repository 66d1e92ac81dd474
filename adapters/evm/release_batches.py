"""Batches of releases: the call, the gas it may need, and what became of each entry.

The gas of a batch is reckoned, not estimated. An estimate is the least gas with which the call
does not revert, and a batch does not revert where an entry's push gets too little: that becomes a
credit. By the 63/64 rule (EIP-150) a push can get too little although the call has gas left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.abi import WORD, selector, uint_word
from adapters.evm.escrow_abi import RELEASE_BATCH, RELEASED, SKIPPED, TOPICS, terms_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.wire import LogLine
    from domain.escrow.model import EscrowTerms

BATCH: Final = selector(RELEASE_BATCH)
TERMS_WORDS: Final = 8
"""Members of ``Terms``, a word each; see ``adapters.evm.escrow_abi.TERMS_TYPE``."""

BASE_GAS: Final = 50_000
"""What a batch costs beside its entries: 21,000 for the transaction; the storage words that all
entries read, when they are first read (``isOperator``, ``treasury``, ``pushGasCap``, 3 x 2,100 by
EIP-2929); the lock (2 x 100, EIP-1153); memory, of which an entry takes about 500 bytes for good
(some 5,000 for 50 of them). The rest, a third, is to spare."""

ENTRY_GAS: Final = 100_000
"""The most that one entry costs beside the gas that is given to its push, by the gas schedule of
Prague: 256 bytes of call data (16 each, 4,096); the payment's word read and written (2,100 and
2,900); the treasury's credit where it was nothing (22,100); ``Released`` with three topics and
160 bytes (2,780); a call that sends coin to a new account (2,600, 9,000 and 25,000); where that
fails, the receiver's credit (22,100) and ``Credited`` (2,131). That is 94,807; the rest is for
arithmetic. Measured on py-evm, 50 entries and a bad one use 855,672 in all: nearly all of it is
paid once there, not for each."""

USUAL_PUSH_GAS: Final = 200_000
"""Reckoned for a push where the contract sets no limit: the limit its constructor recommends."""

TRANSACTION_GAS_MAX: Final = 2**24
"""No transaction may have more, on Ethereum since Osaka (EIP-7825): 55 entries at the usual push
gas. More than that go by several transactions."""


def call_with_batch(batch: Sequence[EscrowTerms]) -> bytes:
    """Return the call data of ``releaseBatch``: one array, so an offset, a length, the terms.

    Raises:
        UnpayableTerms: the contract cannot express one of the terms.
    """
    head = uint_word(WORD) + uint_word(len(batch))
    return BATCH + head + b"".join(terms_words(terms) for terms in batch)


def entries_of(words: Sequence[str]) -> Sequence[Sequence[str]] | None:
    """Cut the words of a batch's call into those of each ``Terms``; None where it is no batch.

    Only what `call_with_batch` writes is one: the same could be said with gaps and other offsets.
    """
    if len(words) <= TERMS_WORDS or int(words[0], 16) != WORD:
        return None
    rest = words[2:]
    if int(words[1], 16) * TERMS_WORDS != len(rest):
        return None
    return [rest[at : at + TERMS_WORDS] for at in range(0, len(rest), TERMS_WORDS)]


def gas_limit_of(entries: int, *, push_gas: int) -> int:
    """Return the gas with which every push of a batch gets all that the contract lets it use.

    Args:
        entries: How many escrows are to be released.
        push_gas: The contract's ``pushGasCap``. For a call to get it, 64/63 of it must be left
            (EIP-150).
    """
    push = -(-push_gas * 64 // 63)
    return BASE_GAS + entries * (ENTRY_GAS + push)


def left_alone(logs: Sequence[LogLine], *, escrow: str) -> frozenset[int]:
    """Return the places of the entries that a batch has skipped, from its transaction's events.

    The contract tells of each entry once and in their order, ``Released`` or ``Skipped``, and its
    lock keeps anybody else's release out of a batch.
    """
    told = [
        log.topics.first.lower()
        for log in logs
        if log.topics.first is not None and log.address.lower() == escrow
    ]
    ends = [first for first in told if first in {TOPICS[RELEASED], TOPICS[SKIPPED]}]
    return frozenset(place for place, first in enumerate(ends) if first == TOPICS[SKIPPED])
