"""Transfers of the native coin: they leave no event, so they are read from blocks' bodies.

What a contract sends on is in no body. It is found by its balance: see `domain.chains.unseen`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.evm.rpc import Call
from adapters.evm.wire import RECEIPT, number
from domain.chains.model import Transfer
from domain.shared.money import Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.providers import Provider
    from adapters.evm.settings import EvmChain
    from adapters.evm.wire import Body, TransactionLine
    from ports.chain import Ours

COIN_POSITION: Final = -1
"""The place of a transaction's own value among its events, of which the first has number 0."""

_NOTHING = frozenset({"0x0", "0x", "0x00"})
_SENSE = re.compile(r"0x[0-9a-f]{40} 0x[0-9a-f]{40} 0x[0-9a-f]{64} 0x[0-9a-f]{1,64}")


class CoinSource:
    """Finds the transactions of blocks that carry coins to addresses of ours."""

    def __init__(self, chain: EvmChain) -> None:
        self._native: Final = chain.native
        # What goes into the escrow contract its events tell, with what for.
        self._apart: Final = chain.escrow

    async def read(
        self, provider: Provider, bodies: Sequence[Body], *, ours: Ours | None
    ) -> list[tuple[Body, str, Transfer]]:
        """Return what succeeded of them: block, the transaction's name and the transfer.

        Raises:
            ChainUnavailable: a transaction makes no sense, or its receipt is of another block.
        """
        sent = [
            (body, line, line.target.lower())
            for body in bodies
            for line in body.transactions
            if line.target is not None and line.value not in _NOTHING
        ]
        targets = {target for _, _, target in sent if target != self._apart}
        known = targets if ours is None or not targets else await ours(targets)
        mine = [(body, line) for body, line, target in sent if target in known]
        if not mine:
            return []
        calls = [Call("eth_getTransactionReceipt", [line.hash]) for _, line in mine]
        receipts = await provider.batch(calls, answer=RECEIPT)
        found: list[tuple[Body, str, Transfer]] = []
        for (body, line), receipt in zip(mine, receipts, strict=True):
            name = line.hash.lower()
            if (
                receipt is None
                or receipt.transaction_hash.lower() != name
                or receipt.block_hash.lower() != body.hash.lower()
            ):
                raise ChainUnavailable(f"{line.hash} has no receipt of its block")
            # A transaction that failed is in the block as well, and its value stayed where it was.
            if number(receipt.status) == 1:
                found.append((body, name, self._transfer(line)))
        return found

    def _transfer(self, line: TransactionLine) -> Transfer:
        source, target = line.source.lower(), (line.target or "").lower()
        if not _SENSE.fullmatch(f"{source} {target} {line.hash.lower()} {line.value.lower()}"):
            raise ChainUnavailable(f"a transaction {line.hash[:80]} makes no sense")
        return Transfer(Money(number(line.value), self._native), source, target)
