"""What a liteserver answers about accounts, and to who sends them messages.

Queries and answers: ``tl/generate/scheme/lite_api.tl`` of github.com/ton-blockchain/ton.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from pytoniq_core import Cell

from adapters.ton.devnet.blocks import BASECHAIN
from adapters.ton.devnet.cells import bag_of_cells
from adapters.ton.devnet.emulator import NotExecuted
from adapters.ton.devnet.proofs import NOTHING_PROVED, account_proof, transactions_proof
from adapters.ton.devnet.view import FAILED
from adapters.ton.devnet.wire import QueryRefused, tl_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.ton.devnet.view import View
    from adapters.ton.devnet.wire import Reader

TRANSACTIONS_MAX = 16
"""Most transactions of an account in one answer (``lite-server`` has the same)."""

WITH_RESULT = 0b111
"""The flags of a get-method's answer that has proofs and a result."""


class AccountAnswers:
    """Answers about accounts from what a liteserver has seen.

    Args:
        view: What it has seen.
        lose: Whether to lose an external message that has just come.
    """

    def __init__(self, view: View, *, lose: Callable[[Cell], bool]) -> None:
        self._view: Final = view
        self._lose: Final = lose

    def methods(self) -> Mapping[str, Callable[[Reader], bytes]]:
        """Return what answers which query, by the query's name."""
        return {
            "getAccountState": self._account,
            "runSmcMethod": self._run,
            "getTransactions": self._transactions,
            "getOneTransaction": self._transaction,
            "sendMessage": self._send,
            "getLibraries": self._libraries,
        }

    def _account(self, query: Reader) -> bytes:
        block = self._view.known(query)
        workchain, account = query.account_id()
        shard = block.shard or block
        proved = account_proof(shard, account) if workchain == BASECHAIN else NOTHING_PROVED
        return tl_answer(
            "accountState",
            id=block.id.to_dict(),
            shardblk=shard.id.to_dict(),
            shard_proof=self._view.shard_proof(block),
            proof=proved.proof,
            state=proved.state,
        )

    def _run(self, query: Reader) -> bytes:
        query.int32()
        block = self._view.known(query)
        _, account = query.account_id()
        shard = block.shard or block
        try:
            done = self._view.chain.run(
                block=shard, account=account, method=query.int64(), stack=query.bytes()
            )
        except NotExecuted as refused:
            raise QueryRefused(code=FAILED, reason=refused.reason) from refused
        return tl_answer(
            "runMethodResult",
            mode=WITH_RESULT,
            id=block.id.to_dict(),
            shardblk=shard.id.to_dict(),
            shard_proof=self._view.shard_proof(block),
            proof=b"",
            state_proof=b"",
            exit_code=done.exit_code,
            result=done.stack,
        )

    def _transactions(self, query: Reader) -> bytes:
        count = min(query.int32(), TRANSACTIONS_MAX)
        _, account = query.account_id()
        lt, expected = query.int64(), query.int256()
        history = self._view.chain.transactions(account)
        end = bisect_right(history, lt, key=lambda each: each.transaction.lt)
        last = history[end - 1] if end else None
        if (
            last is None
            or (last.transaction.lt, last.transaction.cell.hash) != (lt, expected)
            or not self._view.seen(last)
        ):
            reason = "cannot locate transaction in block with specified logical time"
            raise QueryRefused(code=FAILED, reason=reason)
        chosen = history[max(0, end - count) : end][::-1]
        return tl_answer(
            "transactionList",
            ids=[each.block.to_dict() for each in chosen],
            transactions=bag_of_cells(*(each.transaction.cell for each in chosen)),
        )

    def _transaction(self, query: Reader) -> bytes:
        block = self._view.known(query)
        _, account = query.account_id()
        lt = query.int64()
        cells = [
            each.cell for each in block.transactions if each.account == account and each.lt == lt
        ]
        return tl_answer(
            "transactionInfo",
            id=block.id.to_dict(),
            proof=transactions_proof(block),
            transaction=bag_of_cells(*cells) if cells else b"",
        )

    def _send(self, query: Reader) -> bytes:
        try:
            message = Cell.one_from_boc(query.bytes())
            self._view.chain.try_out(message)
        except NotExecuted as refused:
            raise QueryRefused(code=FAILED, reason=_not_accepted(refused)) from refused
        except Exception as error:  # pytoniq-core has no error of its own for what it cannot read
            reason = "cannot apply external message to current state : cannot deserialize it"
            raise QueryRefused(code=FAILED, reason=reason) from error
        if not self._lose(message):
            self._view.chain.send(message)
        return tl_answer("sendMsgStatus", status=1)

    def _libraries(self, query: Reader) -> bytes:
        wanted = [query.int256() for _ in range(query.int32())]
        found = [
            {"hash": each.hex(), "data": bag_of_cells(self._view.chain.libraries[each])}
            for each in wanted
            if each in self._view.chain.libraries
        ]
        return tl_answer("libraryResult", result=found)


def _not_accepted(refused: NotExecuted) -> str:
    """Return what a liteserver says of a message that an account refuses."""
    start = f"cannot apply external message to current state : {refused.reason}"
    return start if refused.exit_code is None else f"{start}\nexitcode={refused.exit_code}"
