"""What wallets are told to send, made of the domain's instructions, and what that takes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from adapters.ton.addresses import BASECHAIN, NotATonAddress, TonAddress
from adapters.ton.cells import CellSize
from adapters.ton.fees import ENVELOPE_SIZE, jetton_transfer_fee
from adapters.ton.internal import InternalMessage, coin_transfer, jetton_transfer
from adapters.ton.messages import JettonTransfer
from adapters.ton.settings import Jetton
from ports.chain import InstructionRefused, InsufficientFundsOnChain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core import BlockIdExt

    from adapters.ton.deposit_wallet import DepositWallet
    from adapters.ton.fees import Prices
    from adapters.ton.jettons import JettonWallets
    from adapters.ton.settings import TonChain
    from domain.chains.instructions import FundGas, SendMoney
    from domain.shared.money import AssetId, Money

SWEEP_GAS: Final = 10_000
"""Most gas of a deposit wallet's run that sends one message; it takes some 3,300."""
NOTICE: Final = 1
"""Nanotons that come with a payout in jettons: for none, the payee's program would not be told."""


@attrs.frozen(kw_only=True)
class Order:
    """Messages, and how much of what it takes to send them.

    Attributes:
        messages: In the order of the instruction's parts.
        coins: Nanotons that payees get.
        attached: Nanotons that go along with jettons; what they do not take comes back.
        jettons: What is sent of each jetton, smallest units.
    """

    messages: tuple[InternalMessage, ...]
    coins: int
    attached: int
    jettons: tuple[tuple[Jetton, int], ...]


class Orders:
    """Makes orders; the masters say where jetton wallets are."""

    def __init__(self, settings: TonChain, jettons: JettonWallets) -> None:
        self._settings: Final = settings
        self._jettons: Final = jettons

    async def payouts(
        self,
        sends: Sequence[SendMoney | FundGas],
        *,
        source: TonAddress,
        block: BlockIdExt,
        prices: Prices,
    ) -> Order:
        """Return what pays some addresses.

        Coins do not bounce: a wallet that nobody has deployed yet can be paid.

        Raises:
            InstructionRefused: one of them cannot be paid, or not in this.
            ChainUnavailable: no server answered.
        """
        messages, coins, attached = [], 0, 0
        jettons: Counter[Jetton] = Counter()
        for send in sends:
            target = payable(send.target)
            if target == source:
                raise InstructionRefused("the hot wallet does not pay itself")
            jetton = self._jetton_of(send.money)
            if jetton is None:
                message = coin_transfer(destination=target, amount=send.money.amount, bounce=False)
                coins += message.value
            else:
                message = await self._jetton_message(
                    send.money, jetton, source, target, block, prices, notice=NOTICE
                )
                attached += message.value
                jettons[jetton] += send.money.amount
            messages.append(message)
        return Order(
            messages=tuple(messages), coins=coins, attached=attached, jettons=_listed(jettons)
        )

    async def sweep(
        self,
        money: Money,
        *,
        source: TonAddress,
        target: TonAddress,
        block: BlockIdExt,
        prices: Prices,
    ) -> Order:
        """Return what moves money from a deposit wallet to the hot wallet, which is not notified.

        Raises:
            InstructionRefused: it is money of another chain, or none.
            ChainUnavailable: no server answered.
        """
        jetton = self._jetton_of(money)
        if jetton is None:
            message = coin_transfer(destination=target, amount=money.amount, bounce=False)
            return Order(messages=(message,), coins=money.amount, attached=0, jettons=())
        message = await self._jetton_message(
            money, jetton, source, target, block, prices, notice=0
        )
        listed = ((jetton, money.amount),)
        return Order(messages=(message,), coins=0, attached=message.value, jettons=listed)

    async def check_jettons(self, order: Order, *, source: str, block: BlockIdExt) -> None:
        """See that an owner holds the jettons that an order sends.

        Raises:
            InsufficientFundsOnChain: he does not.
            ChainUnavailable: no server answered.
        """
        for jetton, amount in order.jettons:
            if await self._jettons.held(source, jetton, block) < amount:
                raise InsufficientFundsOnChain(jetton.asset.id)

    def _jetton_of(self, money: Money) -> Jetton | None:
        if money.amount <= 0:
            raise InstructionRefused("there is nothing to send")
        jetton = self._settings.jetton_of(money.asset)
        if jetton is None and money.asset != self._settings.native.id:
            raise InstructionRefused(f"no asset of this chain: {money.asset}")
        return jetton

    async def _jetton_message(
        self,
        money: Money,
        jetton: Jetton,
        source: TonAddress,
        target: TonAddress,
        block: BlockIdExt,
        prices: Prices,
        *,
        notice: int,
    ) -> InternalMessage:
        wallet = await self._jettons.address(source.raw, jetton, block)
        transfer = JettonTransfer(
            query_id=0,
            amount=money.amount,
            destination=target,
            response_destination=source,
            forward_amount=notice,
        )
        return jetton_transfer(
            jetton_wallet=TonAddress.parse_raw(wallet),
            attached=jetton_transfer_fee(transfer, prices, limits=jetton.limits),
            transfer=transfer,
        )


def payable(text: str) -> TonAddress:
    """Return the address of an account that can be paid.

    Raises:
        InstructionRefused: it is no address, or of the masterchain, where nobody is paid.
    """
    try:
        address = TonAddress.parse(text)
    except NotATonAddress as error:
        raise InstructionRefused(str(error)) from error
    if address.workchain != BASECHAIN:
        raise InstructionRefused(f"{address.raw} is not of the basic workchain")
    return address


def sweep_fee(
    order: Order,
    prices: Prices,
    *,
    wallet: DepositWallet,
    stored: CellSize,
    idle_seconds: int,
) -> int:
    """Return the most that a deposit wallet pays for its own part of a sweep, in nanotons."""
    forwarding = prices.forwarding
    sent = CellSize.of([order.messages[0].to_cell()])
    from_outside = sent + ENVELOPE_SIZE + CellSize.of([wallet.init.to_cell()])
    return (
        forwarding.cost(from_outside)
        + prices.gas.cost(SWEEP_GAS)
        + forwarding.cost(sent)
        + prices.storage.cost(stored, seconds=idle_seconds)
    )


def _listed(jettons: Counter[Jetton]) -> tuple[tuple[Jetton, int], ...]:
    def named(each: tuple[Jetton, int]) -> AssetId:
        return each[0].asset.id

    return tuple(sorted(jettons.items(), key=named))
