"""A devnet at will, in memory: a sandbox over an in-memory chain, with verbs for its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain import InMemoryChain
from domain.shared.money import chain_of
from ports.chain import ChainUnavailable
from ports.sandbox import SandboxRefused, WrongSandbox

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import ChainId, Money

PAYER = "0x" + "b" * 40
"""Who pays on the devnet."""


@attrs.define(eq=False)
class InMemorySandbox:
    """See ``ports.sandbox.Sandbox``. What is paid is in a block at once, and not final."""

    _chain: InMemoryChain
    _refusal: str | None = attrs.field(default=None, init=False)
    _silent: bool = attrs.field(default=False, init=False)
    _is_devnet: bool = attrs.field(default=True, init=False)
    asked: int = attrs.field(default=0, init=False)
    """How often it was asked to do something."""

    @property
    def chain(self) -> ChainId:
        """The chain's name."""
        return self._chain.chain

    def refuse_next(self, reason: str) -> None:
        """Have the devnet refuse what it is asked for next."""
        self._refusal = reason

    def time_out_after_doing(self) -> None:
        """Have the devnet do what it is asked for next, and its answer be lost."""
        self._silent = True

    def turn_real(self) -> None:
        """Have the node be none of a devnet."""
        self._is_devnet = False

    async def check(self) -> None:
        """Make sure that the node is a devnet of this chain."""
        await self._chain.head()
        if not self._is_devnet:
            raise WrongSandbox(self.chain, "it signs for nobody")

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        """Pay somebody; the transaction is in a block then."""
        await self._begin()
        if chain_of(money.asset) != self.chain:
            raise SandboxRefused("another chain's money")
        self._chain.fund(PAYER, money)
        return self._mined(self._chain.transfer(money, source=PAYER, target=target, memo=memo))

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Pay into the escrow contract what the terms say."""
        await self._begin()
        self._chain.fund(PAYER, terms.money)
        return self._mined(self._chain.pay_escrow(terms, payer=PAYER))

    async def reorganize(self, *, depth: int) -> None:
        """Replace the newest blocks by empty ones; their transactions are forgotten."""
        await self._begin()
        newest = self._chain.blocks.mined[-depth:]
        dropped = {it.hash for block in newest for it in block.transactions}
        try:
            self._chain.reorg(depth=depth, drop=dropped)
        except ValueError as error:
            raise SandboxRefused(str(error)) from error
        self._answer()

    async def _begin(self) -> None:
        self.asked += 1
        await self.check()
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise SandboxRefused(refusal)

    def _mined(self, hash: str) -> str:
        self._chain.mine()
        number = self._chain.blocks.number_of(hash)
        included = self._chain.blocks.mined[number or 0].inclusions
        if not any(it.hash == hash and it.succeeded for it in included):
            raise SandboxRefused("reverted")
        self._answer()
        return hash

    def _answer(self) -> None:
        silent, self._silent = self._silent, False
        if silent:
            raise ChainUnavailable("no answer, though it was done")
