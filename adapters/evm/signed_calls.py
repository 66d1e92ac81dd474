"""Reading unsigned transactions as a signer does: the calls the gateway makes, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.abi import WORD, address_of, selector, words_of
from adapters.evm.authorizations import Delegation, is_delegation
from adapters.evm.collector_abi import collected
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import REFUND, RELEASE
from adapters.evm.names import ZERO_ADDRESS, chain_number, native_asset, token_asset
from adapters.evm.release_batches import BATCH, TERMS_WORDS, entries_of
from adapters.evm.transactions import UnsignedTransaction
from domain.shared.money import Money
from domain.signing.model import Act, Movement, Reading
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.money import AssetId, ChainId

_SELECTOR_BYTES: Final = 4
_ESCROW_ACTS: Final = {selector(RELEASE): Act.RELEASE, selector(REFUND): Act.REFUND}
_MERCHANT, _TOKEN, _AMOUNT = 1, 2, 3
"""Their places in ``Terms``; see ``adapters.evm.escrow_abi.TERMS_TYPE``."""


class EvmTransactionReader:
    """Reads transactions of one chain; implements `ports.signing.TransactionReader`."""

    def __init__(
        self,
        chain: ChainId,
        *,
        escrow_contract: str | None,
        hot_wallet: str,
        collector: str | None = None,
    ) -> None:
        """Take what the gateway's own addresses are, lower case.

        Args:
            chain: The chain's name.
            escrow_contract: The only contract whose escrows are released and refunded, if any is.
            hot_wallet: Where sweeps go.
            collector: The only contract that deposit addresses delegate to, if any is.
        """
        self._chain: Final = chain
        self._chain_id: Final = chain_number(chain)
        self._escrow: Final = escrow_contract
        self._hot_wallet: Final = hot_wallet
        self._collector: Final = collector

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        """Return what a transaction does.

        Raises:
            NotATransaction, NotADelegation: the bytes are neither of a known kind.
            SigningRefused: it is for another chain, no transfer and no call of the escrow
                contract's or the collector's that is known, or delegates to something else.
        """
        if is_delegation(unsigned):
            return self._delegation(Delegation.decode(unsigned), sender)
        transaction = UnsignedTransaction.decode(unsigned)
        if transaction.chain_id != self._chain_id:
            raise SigningRefused(f"is for chain {transaction.chain_id}, not {self._chain_id}")
        # What moves nothing, from a wallet to itself, only takes the place of another transaction.
        idle = transaction.target == sender and not transaction.value and not transaction.data
        collects = self._collects(transaction)
        if transaction.authorizations and not collects:
            raise SigningRefused(f"lets others delegate to {transaction.target}")
        return Reading(
            chain=self._chain,
            movements=() if idle or collects else self._movements(transaction, sender),
            fee=Money(transaction.fee_limit, native_asset(self._chain)),
            slot=f"{self._chain}/{sender}/{transaction.nonce}",
            acts=frozenset({Act.COLLECT}) if collects else frozenset(),
        )

    def _delegation(self, delegation: Delegation, sender: str) -> Reading:
        # Chain id 0 would be any chain's.
        if delegation.chain_id != self._chain_id:
            raise SigningRefused(f"is for chain {delegation.chain_id}, not {self._chain_id}")
        if self._collector is None or delegation.contract != self._collector:
            raise SigningRefused(f"delegates to {delegation.contract}, no collector of ours")
        return Reading(
            chain=self._chain,
            movements=(),
            fee=Money(0, native_asset(self._chain)),
            slot=f"{self._chain}/{sender}/{delegation.nonce}",
            acts=frozenset({Act.DELEGATE}),
        )

    def _collects(self, transaction: UnsignedTransaction) -> bool:
        """Tell whether it is a batch of sweeps, and nothing besides."""
        ours = self._collector is not None and transaction.target == self._collector
        return ours and not transaction.value and collected(transaction.data) is not None

    def _movements(self, transaction: UnsignedTransaction, sender: str) -> tuple[Movement, ...]:
        data = transaction.data
        if not data:
            money = Money(transaction.value, native_asset(self._chain))
            return (self._transfer(money, transaction.target, sender),)
        if transaction.value:
            raise SigningRefused(f"takes {transaction.value} wei along")
        words = words_of("0x" + data[_SELECTOR_BYTES:].hex())
        if words is None:
            raise SigningRefused("is no call that is known")
        if data.startswith(TRANSFER) and len(data) == _SELECTOR_BYTES + 2 * WORD:
            token = token_asset(self._chain, transaction.target)
            money = Money(int(words[1], 16), token)
            return (self._transfer(money, _address(words[0]), sender),)
        if transaction.target != self._escrow:
            raise SigningRefused("is no call that is known")
        if data.startswith(BATCH) and (entries := entries_of(words)):
            return tuple(self._end(Act.RELEASE, terms) for terms in entries)
        act = _ESCROW_ACTS.get(data[:_SELECTOR_BYTES])
        if act is None or len(words) != TERMS_WORDS:
            raise SigningRefused("is no call that is known")
        return (self._end(act, words),)

    def _end(self, act: Act, terms: Sequence[str]) -> Movement:
        money = Money(int(terms[_AMOUNT], 16), self._asset(_address(terms[_TOKEN])))
        # Whom a refund goes to, the contract knows.
        target = _address(terms[_MERCHANT]) if act is Act.RELEASE else None
        return Movement(act, money, target)

    def _transfer(self, money: Money, target: str, sender: str) -> Movement:
        swept = target == self._hot_wallet and sender != self._hot_wallet
        return Movement(Act.SWEEP if swept else Act.PAYOUT, money, target)

    def _asset(self, token: str) -> AssetId:
        native = token == ZERO_ADDRESS
        return native_asset(self._chain) if native else token_asset(self._chain, token)


def _address(word: str) -> str:
    address = address_of(word)
    if address is None:
        raise SigningRefused("names something that is no address")
    return address
