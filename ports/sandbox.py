"""A devnet at will: paying as anybody, and having blocks replaced. Real chains have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import ChainId, Money


class SandboxRefused(Exception):
    """The devnet does not do it, and nothing of it was done."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongSandbox(Exception):
    """The node is no devnet, or not of the chain that the settings say."""

    def __init__(self, chain: ChainId, reason: str) -> None:
        super().__init__(f"{chain}: {reason}")
        self.chain = chain
        self.reason = reason


class Sandbox(Protocol):
    """One devnet, with accounts of its own that hold any amount of what is paid with there.

    What raises ``ChainUnavailable`` may have been done all the same.
    """

    @property
    def chain(self) -> ChainId:
        """The chain's name."""
        ...

    async def check(self) -> None:
        """Make sure that the node is a devnet of this chain.

        Raises:
            WrongSandbox: it is not.
            ChainUnavailable: it does not answer.
        """
        ...

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        """Pay somebody; return the hash of the transaction, which is in a block then.

        Raises:
            SandboxRefused: the devnet has no way to such money, or no memos.
            ChainUnavailable: the node did not answer.
        """
        ...

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Pay into the escrow contract what the terms say; return the payment's hash.

        Raises:
            SandboxRefused: the contract does not take it, in its own words; or there is none.
            ChainUnavailable: the node did not answer.
        """
        ...

    async def reorganize(self, *, depth: int) -> None:
        """Replace the newest blocks, none of them final, by others without their transactions.

        Raises:
            SandboxRefused: a final block would be among them, or blocks are never replaced here.
            ChainUnavailable: the node did not answer.
        """
        ...
