"""Sending on TON: payouts by the highload wallet, sweeps by deposit wallets."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pytoniq_core import Cell

from adapters.ton.accounts import Accounts
from adapters.ton.cells import MalformedCell, Reader
from adapters.ton.deposit_wallet import IndexOutOfRange, Sweep
from adapters.ton.fees import PARAMETERS, Prices, PricesMissing, batch_fees
from adapters.ton.highload import SIGNATURE_BYTES, TRANSFERS_MAX, HighloadBatch, query_id
from adapters.ton.jettons import JettonWallets
from adapters.ton.liteservers import GetMethodFailed, NotAccepted
from adapters.ton.orders import Orders, payable, sweep_fee
from adapters.ton.prepared import ChainNow, TonPrepared, limit
from adapters.ton.scanner import Scanner
from domain.chains.instructions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from domain.chains.submissions import SignedBytes
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.ton.accounts import AccountState
    from adapters.ton.deposit_wallet import DepositWallet
    from adapters.ton.external import ExternalMessage
    from adapters.ton.highload import HighloadWallet
    from adapters.ton.liteservers import Liteservers
    from adapters.ton.prepared import Deposits
    from adapters.ton.second_source import Sources
    from adapters.ton.settings import TonChain
    from domain.chains.instructions import Instruction
    from domain.shared.money import ChainId, Money
    from ports.chain import Prepared
    from ports.clock import Clock
    from ports.signer import Signer


class TonChainSender:
    """Sends through liteservers; implements `ports.chain.ChainSender`.

    The hot wallet takes numbers in any order, so that none of its messages waits for another. A
    deposit wallet takes exactly the one that it tells as its ``seqno``.
    """

    batch_max = TRANSFERS_MAX
    releases_max = 1
    sweeps_max = 0

    def __init__(
        self,
        servers: Liteservers,
        settings: TonChain,
        *,
        wallet: HighloadWallet,
        signer: Signer,
        clock: Clock,
        deposits: Deposits | None = None,
        sources: Sources | None = None,
    ) -> None:
        """Take the hot wallet, who signs for it, and who watches over the servers, if somebody.

        Raises:
            ValueError: the signer signs for another wallet, or messages have another last moment.
        """
        if signer.address != wallet.address.raw:
            raise ValueError(f"the signer is for {signer.address}, not {wallet.address.raw}")
        if wallet.timeout_seconds != settings.message_seconds:
            raise ValueError(f"the wallet's timeout is {wallet.timeout_seconds} s")
        self.chain: ChainId = settings.chain
        self.sender: str = wallet.address.raw
        self._servers: Final = servers
        self._settings: Final = settings
        self._wallet: Final = wallet
        self._signer: Final = signer
        self._clock: Final = clock
        self._deposits: Final = deposits
        self._sources: Final = sources or servers
        self._scanner: Final = Scanner(servers, sources)
        self._accounts: Final = Accounts(servers)
        self._orders: Final = Orders(settings, JettonWallets(servers))

    async def next_sequence(self, sender: str) -> int:
        """Return 0 for the hot wallet, and a deposit wallet's ``seqno``.

        Raises:
            ChainUnavailable: no server answered.
        """
        if sender == self.sender:
            return 0
        block = await self._scanner.newest()
        if not (await self._accounts.state(sender, block)).is_active:
            return 0
        try:
            told = await self._servers.ask("run_get_method", sender, "seqno", [], block)
            return int(told[0])
        except (GetMethodFailed, IndexError, TypeError, ValueError) as error:
            raise ChainUnavailable(f"{sender} does not tell its seqno") from error

    async def fee_limit(self, instruction: Instruction) -> Money:
        """Return what an instruction takes at most, a tenth added, whether its sender has it.

        Raises:
            InstructionRefused: as for `prepare`, or the jettons to be swept are not there.
            ChainUnavailable: no server answered.
        """
        now = await self._now()
        prepared, _ = await self._prepared(instruction, now)
        if isinstance(instruction, SweepDeposit):
            try:
                await self._orders.check_jettons(
                    prepared.order, source=prepared.sender, block=now.block
                )
            except InsufficientFundsOnChain as lack:
                raise InstructionRefused(f"lacks {lack.asset}") from lack
        return prepared.fee_limit

    async def prepare(self, instruction: Instruction) -> TonPrepared:
        """Make an instruction ready by the newest block's prices and balances.

        Raises:
            InstructionRefused: somebody or something cannot be paid, or there is no such thing
                as is instructed on this chain.
            InsufficientFundsOnChain: its sender holds too little.
            ChainUnavailable: no server answered.
        """
        now = await self._now()
        prepared, state = await self._prepared(instruction, now)
        await self._orders.check_jettons(prepared.order, source=prepared.sender, block=now.block)
        if state.coins < prepared.needed:
            raise InsufficientFundsOnChain(self._settings.native.id)
        return prepared

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign what `prepare` returned, with a number. No network; deterministic.

        Raises:
            InstructionRefused: the signer will not sign it, or it is too large for a message.
        """
        if not isinstance(prepared, TonPrepared):
            raise TypeError(f"prepared by another sender: {type(prepared).__name__}")
        try:
            # A signer may be another process: this one does not stand still meanwhile.
            message = await asyncio.to_thread(self._message, prepared, sequence)
            raw = message.to_boc()
        except ValueError as refusal:
            raise InstructionRefused(str(refusal)) from refusal
        return SignedBytes(
            hash=message.normalized_hash.hex(),
            raw=raw,
            sender=prepared.sender,
            sequence=sequence,
            # At the time it names a wallet refuses it.
            valid_until=datetime.fromtimestamp(message.expires_at - 1, tz=UTC),
            gapless=prepared.index is not None,
        )

    async def replace(
        self, instruction: Instruction, *, attempts: Sequence[SignedBytes], waited: int
    ) -> TonPrepared | None:
        """Return None: a message that is in no block in time expires, and nothing is outbid."""
        del instruction, attempts, waited
        return None

    async def cancel(self, *, attempts: Sequence[SignedBytes]) -> TonPrepared | None:
        """Return None: a message that is in no block in time expires."""
        del attempts
        return None

    async def broadcast(self, signed: SignedBytes) -> None:
        """Hand the bytes to a server, and to the second source if there is one.

        That the wallet would not take them is said of what it has taken already, and of what it
        takes in a moment: the chain is asked what became of them, not the server.

        Raises:
            ChainUnavailable: no server answered.
        """
        with suppress(NotAccepted):
            await self._sources.broadcast(signed.raw)

    def _message(self, prepared: TonPrepared, sequence: int) -> ExternalMessage:
        if prepared.index is None:
            unsigned = self._wallet.unsigned(
                HighloadBatch(
                    query=query_id(sequence),
                    created_at=prepared.created_at,
                    transfers=prepared.order.messages,
                    allowance=prepared.allowance,
                )
            )
            signature = _signature(self._signer.sign_transaction(unsigned.to_boc()))
            return self._wallet.signed(unsigned, signature=signature, deploy=prepared.deploy)
        deposits, wallet = self._deposit_wallet(prepared.index)
        sweep = Sweep(
            message=prepared.order.messages[0],
            seqno=sequence,
            valid_until=prepared.created_at + self._settings.message_seconds,
        )
        unsigned = wallet.unsigned(sweep)
        body = deposits.signer.sign_sweep(
            unsigned.to_boc(), source=prepared.sender, index=prepared.index
        )
        return wallet.signed(unsigned, signature=_signature(body))

    async def _now(self) -> ChainNow:
        """Read prices and the time: the chain's, where this machine's clock is ahead of it."""
        block = await self._scanner.newest()
        there = await self._scanner.block(block.seqno)
        if there is None:
            raise ChainUnavailable(f"block {block.seqno} is not there")
        time = min(there[1].time, self._clock.now())
        told = await self._servers.ask("get_config_params", [*PARAMETERS], block)
        try:
            return ChainNow(block, int(time.timestamp()), Prices.of(told))
        except PricesMissing as error:
            raise ChainUnavailable(f"parameter {error.parameter} is not told") from error

    async def _prepared(
        self, instruction: Instruction, now: ChainNow
    ) -> tuple[TonPrepared, AccountState]:
        match instruction:
            case SendMoney() | FundGas():
                return await self._payouts([instruction], now)
            case SendMany(parts=parts):
                if not 1 <= len(parts) <= self.batch_max:
                    raise InstructionRefused(f"{len(parts)} payouts in a message")
                return await self._payouts([part.send for part in parts], now)
            case SweepDeposit():
                return await self._sweep(instruction, now)
            case SweepMany():
                raise InstructionRefused("a deposit wallet sends its own messages")
            case ReleaseEscrow() | ReleaseMany() | RefundEscrow():
                raise InstructionRefused("there is no escrow contract on this chain")

    async def _payouts(
        self, sends: Sequence[SendMoney | FundGas], now: ChainNow
    ) -> tuple[TonPrepared, AccountState]:
        order = await self._orders.payouts(
            sends, source=self._wallet.address, block=now.block, prices=now.prices
        )
        state = await self._accounts.state(self.sender, now.block)
        deploy = not state.is_active
        fees = batch_fees(
            order.messages,
            now.prices,
            deploy=deploy,
            stored=state.size,
            idle_seconds=now.idle_seconds(state),
        )
        prepared = TonPrepared(
            sender=self.sender,
            order=order,
            created_at=now.time,
            allowance=fees.allowance,
            deploy=deploy,
            fee_limit=limit(fees.total + order.attached, self._settings.native.id),
            needed=fees.total + order.attached + order.coins,
        )
        return prepared, state

    async def _sweep(
        self, instruction: SweepDeposit, now: ChainNow
    ) -> tuple[TonPrepared, AccountState]:
        _, wallet = self._deposit_wallet(instruction.index)
        source = payable(instruction.source)
        order = await self._orders.sweep(
            instruction.money,
            source=source,
            target=self._wallet.address,
            block=now.block,
            prices=now.prices,
        )
        state = await self._accounts.state(source.raw, now.block)
        fee = sweep_fee(
            order,
            now.prices,
            wallet=wallet,
            stored=state.size,
            idle_seconds=now.idle_seconds(state),
        )
        prepared = TonPrepared(
            sender=source.raw,
            order=order,
            created_at=now.time,
            index=instruction.index,
            fee_limit=limit(fee + order.attached, self._settings.native.id),
            needed=fee + order.attached + order.coins,
        )
        return prepared, state

    def _deposit_wallet(self, index: int) -> tuple[Deposits, DepositWallet]:
        if self._deposits is None:
            raise InstructionRefused("no key of deposit wallets")
        try:
            return self._deposits, self._deposits.wallets.at(index)
        except IndexOutOfRange as error:
            raise InstructionRefused(f"there is no deposit wallet {index}") from error


def _signature(body: bytes) -> bytes:
    """Return the signature that a signed body begins with."""
    try:
        return Reader(Cell.one_from_boc(body)).octets(SIGNATURE_BYTES)
    except MalformedCell as error:
        raise InstructionRefused("the signer has signed nothing") from error
