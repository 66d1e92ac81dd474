"""Accounts as a masterchain block has them, and the transactions that led there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from adapters.ton.cells import CellSize
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pytoniq_core import BlockIdExt
    from pytoniq_core.tlb.transaction import Transaction

    from adapters.ton.liteservers import Liteservers

PAGE: Final = 16
"""Most transactions of one answer."""

NOTHING: Final = CellSize(0, 0)

Found: TypeAlias = "tuple[Transaction, BlockIdExt]"


@attrs.frozen(kw_only=True)
class AccountState:
    """What a block has of an account.

    Attributes:
        coins: In nanotons.
        is_active: Whether it has code.
        size: What rent is paid for.
        paid_until: Unix time up to which rent is paid.
        last: Logical time and hash of its last transaction; None where the server names none,
            which nothing proves.
    """

    coins: int = 0
    is_active: bool = False
    size: CellSize = NOTHING
    paid_until: int = 0
    last: tuple[int, bytes] | None = None


class Accounts:
    """Asks liteservers about accounts."""

    def __init__(self, servers: Liteservers) -> None:
        self._servers: Final = servers

    async def state(self, address: str, block: BlockIdExt) -> AccountState:
        """Return an account after a masterchain block.

        Raises:
            ChainUnavailable: no server answered, or none keeps the state of that block.
        """
        account, placed = await self._servers.ask("raw_get_account_state", address, block)
        if account is None:
            return AccountState()
        info = account.storage_stat
        return AccountState(
            coins=account.storage.balance.grams,
            is_active=account.storage.state.type_ == "account_active",
            size=CellSize(info.used.cells, info.used.bits),
            paid_until=info.last_paid,
            last=(placed.last_trans_lt, placed.last_trans_hash),
        )

    async def history(self, address: str, state: AccountState) -> AsyncIterator[Found]:
        """Yield an account's transactions and their shard blocks, from a state backwards.

        Each names the one before it by its hash, so that none can be kept back.

        Raises:
            ChainUnavailable: no server answered, or it tells other transactions.
        """
        lt, expected = state.last or (0, b"")
        while lt:
            told = await self._servers.ask("raw_get_transactions", address, PAGE, lt, expected)
            transactions, blocks = told
            if not transactions:
                raise ChainUnavailable(f"transactions of {address} are not told")
            for transaction, block in zip(transactions, blocks, strict=True):
                if transaction.cell.hash != expected:
                    raise ChainUnavailable(f"other transactions of {address} are told")
                lt, expected = transaction.prev_trans_lt, transaction.prev_trans_hash
                yield transaction, block
