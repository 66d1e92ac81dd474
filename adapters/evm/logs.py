"""Logs of ranges of blocks that are known already, complete or not at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.evm.rpc import Call, RpcRefused, TooMuchAsked
from adapters.evm.wire import LOGS, number
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.bloom import BloomWatch
    from adapters.evm.node import EvmNode
    from adapters.evm.wire import BlockHeader, Log

_LIMIT_EXCEEDED = -32005
_ASKS_FOR_LESS = re.compile(
    r"range|limit|too (?:many|large|big|wide)|more than|exceed|response size|time(?:d )?out",
    re.IGNORECASE,
)
"""How providers word it when a range or its answer is too large for them."""

_ASKS_FOR_PATIENCE = re.compile(r"\brate\b|per second|requests", re.IGNORECASE)
"""Rate limits share words and codes with the above; a shorter range would not help."""

_GROWTH = 8
"""After a full range that went well the next may be longer by one part in this many."""


class LogSource:
    """Reads logs, with ranges as long as the provider can bear.

    A provider's limit is found by halving, and tried again in small steps: limits on results
    depend on how busy the blocks are.
    """

    def __init__(
        self,
        node: EvmNode,
        *,
        emitters: Sequence[str],
        topics: Sequence[str],
        bloom: BloomWatch,
    ) -> None:
        self._node: Final = node
        self._wanted: Final = {"address": list(emitters), "topics": [list(topics)]}
        self._bloom: Final = bloom
        self._span = node.chain.scan_blocks

    @property
    def span(self) -> int:
        """The most blocks that make sense in one range now."""
        return self._span

    async def read(
        self, headers: Sequence[BlockHeader]
    ) -> tuple[Sequence[BlockHeader], Sequence[Log]]:
        """Return the headers that were read, at least one, and their logs in the chain's order.

        Args:
            headers: Blocks that follow each other, not empty.

        Raises:
            ChainUnavailable: no node answered, or its logs are not those of these blocks.
        """
        while True:
            try:
                logs = await self._range(headers)
            except (RpcRefused, TooMuchAsked) as refusal:
                if len(headers) == 1 or not _asks_for_less(refusal):
                    raise
                headers = headers[: len(headers) // 2]
                self._span = len(headers)
            else:
                break
        if len(headers) == self._span:
            grown = self._span + self._span // _GROWTH + 1
            self._span = min(grown, self._node.chain.scan_blocks)
        await self._check(headers, logs)
        ordered = sorted(logs, key=lambda log: (number(log.block_number), number(log.log_index)))
        return headers, ordered

    async def _range(self, headers: Sequence[BlockHeader]) -> list[Log]:
        limits = {"fromBlock": headers[0].number, "toBlock": headers[-1].number}
        return await self._node.call(
            Call("eth_getLogs", [{**self._wanted, **limits}]), answer=LOGS
        )

    async def _check(self, headers: Sequence[BlockHeader], logs: Sequence[Log]) -> None:
        """Make sure that the logs are those of these blocks, and that none is missing."""
        hashes = {number(header.number): header.hash.lower() for header in headers}
        spoken: set[int] = set()
        for log in logs:
            block = number(log.block_number)
            if hashes.get(block) != log.block_hash.lower():
                raise ChainUnavailable(f"events of block {block} are of another block")
            spoken.add(block)
        silent = [
            header
            for header in headers
            if number(header.number) not in spoken and self._bloom.may_hold(header.logs_bloom)
        ]
        if not silent:
            return
        # By hash a node cannot answer for a block it does not have (EIP-234).
        calls = [
            Call("eth_getLogs", [{**self._wanted, "blockHash": header.hash}]) for header in silent
        ]
        for header, found in zip(silent, await self._node.batch(calls, answer=LOGS), strict=True):
            if found:
                raise ChainUnavailable(f"events of block {number(header.number)} were left out")


def _asks_for_less(refusal: ChainUnavailable) -> bool:
    if isinstance(refusal, RpcRefused):
        if _ASKS_FOR_PATIENCE.search(refusal.message):
            return False
        return refusal.code == _LIMIT_EXCEEDED or bool(_ASKS_FOR_LESS.search(refusal.message))
    return True
