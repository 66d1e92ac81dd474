"""Transactions of accounts, read as the domain's facts.

What moves money is a message that an account has taken in (block.tlb, ``transaction$0111``). A
transaction has one such message, so it brings one payment at most, and its hash names it.

Some coins are no payment. They ride with what jettons' contracts tell each other: a notification
brings an owner a few nanotons, excesses bring back what a transfer has not used up. They are no
transfer, lest an intent in jettons is told that it was paid in coins; nor are the coins that the
hot wallet gives a deposit wallet for its gas, which are booked by the hot wallet's transaction.

The coins of a wallet of ours never become fewer unseen. What it did not send itself brings a
transfer, or a charge where it has cost more than it brought: a wallet that has code pays for its
run out of what comes, and rent is taken with it. What comes back of its own is in that
transaction's cost already. What rides to it stays unseen, as coins with which an operator fills
the hot wallet's tank, and is booked so.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import attrs

from adapters.ton.messages import Excesses, InternalTransfer, read_comment
from adapters.ton.transactions import aborted, account_of, change, taken_in, went_back
from domain.chains.model import Transfer, WalletCharged
from domain.shared.money import AssetId, Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core.tlb.transaction import Transaction

    from adapters.ton.addresses import TonAddress
    from adapters.ton.transactions import Message


@attrs.frozen
class JettonWallet:
    """A jetton wallet that a master has named as its owner's."""

    asset: AssetId
    owner: str


@attrs.frozen(kw_only=True)
class FactFinder:
    """What is known of the chain before a transaction is read.

    Attributes:
        native: The chain's coin.
        hot_wallet: Its raw address.
        owners: The raw addresses of deposit wallets. What anybody else gets is of no interest: on
            this chain all that contracts tell each other brings coins along.
        wallets: The genuine jetton wallets of owners of interest, by raw address. Nothing else is
            believed about jettons: a forged notification is a message like any other.
    """

    native: AssetId
    hot_wallet: str
    owners: Container[str]
    wallets: Mapping[str, JettonWallet]

    def facts(
        self, transaction: Transaction, *, returned: bool
    ) -> Sequence[Transfer | WalletCharged]:
        """Return what a transaction of the basic workchain has brought and cost.

        Args:
            transaction: Any account's.
            returned: Whether it brings a wallet what a transfer of its own has not used up.
        """
        message, account = taken_in(transaction), account_of(transaction)
        if message is None:
            return []
        if account in self.wallets:
            transfer = _jettons(transaction, message, self.wallets[account])
            return [] if transfer is None else [transfer]
        if account != self.hot_wallet and account not in self.owners:
            return []
        if returned or message.bounced or message.source == account:
            return []
        return self._by_wallet(transaction, message)

    def _by_wallet(
        self, transaction: Transaction, message: Message
    ) -> Sequence[Transfer | WalletCharged]:
        """Read what has come to a wallet of ours that is not of its own sending."""
        account = account_of(transaction)
        rides = self._is_ride(transaction, message)
        transfer = None if rides else self._coins(transaction, message)
        gained = 0 if transfer is None else transfer.money.amount
        facts: list[Transfer | WalletCharged] = []
        if transfer is not None and message.source != self.hot_wallet:
            facts.append(transfer)
        changed = change(transaction)
        if changed != gained:
            wallet = None if account == self.hot_wallet else account
            facts.append(WalletCharged(Money(gained - changed, self.native), wallet))
        return facts

    def _is_ride(self, transaction: Transaction, message: Message) -> bool:
        from_its_wallet = self.wallets.get(message.source)
        if from_its_wallet is not None and from_its_wallet.owner == account_of(transaction):
            return True
        return is_excess(message)

    def _coins(self, transaction: Transaction, message: Message) -> Transfer | None:
        if message.bounced or not message.value or went_back(transaction):
            return None
        return Transfer(
            Money(message.value, self.native),
            source=message.source,
            target=message.target,
            memo=read_comment(message.body),
        )


def is_excess(message: Message) -> bool:
    """Tell whether a message says of itself that it is what a transfer has left over."""
    return Excesses.parse(message.body) is not None


def _jettons(transaction: Transaction, message: Message, wallet: JettonWallet) -> Transfer | None:
    """Read what a genuine jetton wallet has taken in; it knows itself from whom it may."""
    if aborted(transaction):
        return None
    told = InternalTransfer.parse(message.body)
    if told is None or not told.amount:
        return None
    return Transfer(
        Money(told.amount, wallet.asset),
        source=_shown(told.sender),
        target=wallet.owner,
        memo=read_comment(told.forward_payload),
    )


def _shown(address: TonAddress | None) -> str:
    return "" if address is None else address.raw
