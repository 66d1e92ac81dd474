"""Events of tokens and of the escrow contract, read as the domain's facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from adapters.evm import escrow_abi
from adapters.evm.abi import address_of, ascii_of, topic, words_of
from adapters.evm.names import ZERO_ADDRESS
from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowPaid,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    Fact,
    Transfer,
)
from domain.shared.ids import EscrowId
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.settings import EvmChain
    from adapters.evm.wire import Log
    from domain.shared.money import AssetId

TRANSFER: Final = topic("Transfer(address,address,uint256)")
"""The event of ERC-20 (EIP-20): from and to indexed, the value as data."""

Topics: TypeAlias = "Sequence[str]"
Words: TypeAlias = "Sequence[str]"


@attrs.frozen
class Credited:
    """The contract could not push money and keeps it for an account: what becomes `pushed`."""

    escrow_id: EscrowId
    account: str
    amount: int


@attrs.frozen
class _Event:
    """How one event is laid out and read; topics without the first, each of 64 digits."""

    topics: int
    words: int
    read: Callable[[Topics, Words], Fact | Credited | None]


class EventReader:
    """Reads the events of one chain's allow-listed tokens and escrow contract.

    What has another layout, is of another emitter, moves nothing or is in a token that is not on
    the list is None: noise that anybody can make for the price of gas.
    """

    def __init__(self, chain: EvmChain) -> None:
        self.escrow: Final = chain.escrow
        self.tokens: Final = {
            address: token.id for address, token in chain.token_addresses().items()
        }
        self._assets: Final[dict[str, AssetId]] = {**self.tokens, ZERO_ADDRESS: chain.native}
        topics = escrow_abi.TOPICS
        self._events: Final[dict[str, _Event]] = {
            topics[escrow_abi.PAID]: _Event(3, 7, self._paid),
            topics[escrow_abi.RELEASED]: _Event(2, 5, _released),
            topics[escrow_abi.REFUNDED]: _Event(2, 3, _refunded),
            topics[escrow_abi.DISPUTED]: _Event(2, 3, _disputed),
            topics[escrow_abi.RESOLVED]: _Event(2, 5, _resolved),
            topics[escrow_abi.CREDITED]: _Event(3, 1, _credited),
            topics[escrow_abi.WITHDRAWN]: _Event(2, 2, self._withdrawn),
        }

    @property
    def emitters(self) -> tuple[str, ...]:
        """The contracts whose events count, lower case."""
        return (*self.tokens, self.escrow)

    @property
    def topics(self) -> tuple[str, ...]:
        """The first topics of the events that count."""
        return (TRANSFER, *self._events)

    @property
    def watched(self) -> tuple[tuple[str, str], ...]:
        """Which contract's which events count: emitter and first topic."""
        transfers = ((token, TRANSFER) for token in self.tokens)
        return (*transfers, *((self.escrow, event) for event in self._events))

    def read(self, log: Log) -> Fact | Credited | None:
        """Return what an event says, or None for noise."""
        words = words_of(log.data)
        if log.removed or not log.topics or words is None:
            return None
        emitter, first = log.address.lower(), log.topics[0].lower()
        indexed = tuple(one[2:] for one in log.topics[1:])
        if first == TRANSFER:
            return self._transfer(emitter, indexed, words)
        event = self._events.get(first) if emitter == self.escrow else None
        if event is None or len(indexed) != event.topics or len(words) != event.words:
            return None
        return event.read(indexed, words)

    def _transfer(self, emitter: str, indexed: Topics, words: Words) -> Transfer | None:
        asset = self.tokens.get(emitter)
        if asset is None or len(indexed) != 2 or len(words) != 1:  # noqa: PLR2004 - from and to
            return None
        source, target, amount = address_of(indexed[0]), address_of(indexed[1]), int(words[0], 16)
        # Transfers of nothing cost only gas and serve to plant look-alike addresses.
        if source is None or target is None or not amount:
            return None
        return Transfer(Money(amount, asset), source, target)

    def _paid(self, indexed: Topics, words: Words) -> EscrowPaid | None:
        payer, asset = address_of(indexed[2]), self._asset(words[1])
        if payer is None or asset is None:
            return None
        money = Money(int(words[2], 16), asset)
        return EscrowPaid(_escrow_id(indexed[0]), ascii_of(indexed[1]), payer, money)

    def _withdrawn(self, indexed: Topics, words: Words) -> CreditWithdrawn | None:
        account, asset, target = address_of(indexed[0]), self._asset(indexed[1]), words[0]
        to = address_of(target)
        if account is None or asset is None or to is None:
            return None
        return CreditWithdrawn(account, to, Money(int(words[1], 16), asset))

    def _asset(self, word: str) -> AssetId | None:
        return self._assets.get(address_of(word) or "")


def with_pushes(fact: Fact, credits: Sequence[Credited], *, payer: str | None) -> Fact:
    """Return a fact that knows whether its money went out or became a credit.

    Args:
        fact: A fact as `EventReader.read` returns it, with every push taken for granted.
        credits: The credits of the same payment in the same transaction.
        payer: The payment's payer; needed for a resolved one with a single credit.
    """
    if not credits:
        return fact
    if isinstance(fact, EscrowReleased | EscrowRefunded):
        return attrs.evolve(fact, pushed=False)
    if isinstance(fact, EscrowResolved):
        of_payer = Credited(fact.escrow_id, payer or "", fact.payer_amount)
        both = len(credits) > 1
        payer_credited = both or of_payer in credits
        return attrs.evolve(
            fact,
            payer_pushed=not payer_credited,
            merchant_pushed=not (both or not payer_credited),
        )
    return fact


def _released(indexed: Topics, words: Words) -> EscrowReleased:
    merchant_amount, fee = int(words[0], 16), int(words[1], 16)
    return EscrowReleased(_escrow_id(indexed[0]), merchant_amount, fee, pushed=True)


def _refunded(indexed: Topics, words: Words) -> EscrowRefunded:
    return EscrowRefunded(_escrow_id(indexed[0]), int(words[0], 16), pushed=True)


def _disputed(indexed: Topics, _: Words) -> EscrowDisputed:
    return EscrowDisputed(_escrow_id(indexed[0]))


def _resolved(indexed: Topics, words: Words) -> EscrowResolved:
    payer_amount, merchant_amount, fee = (int(word, 16) for word in words[:3])
    return EscrowResolved(
        _escrow_id(indexed[0]),
        payer_amount=payer_amount,
        merchant_amount=merchant_amount,
        fee=fee,
        payer_pushed=True,
        merchant_pushed=True,
    )


def _credited(indexed: Topics, words: Words) -> Credited | None:
    account = address_of(indexed[0])
    if account is None:
        return None
    return Credited(_escrow_id(indexed[2]), account, int(words[0], 16))


def _escrow_id(digits: str) -> EscrowId:
    return EscrowId("0x" + digits.lower())
