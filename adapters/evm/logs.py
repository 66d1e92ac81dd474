"""Logs of ranges of blocks that are known already, complete or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from adapters.evm.complaints import asks_for_less
from adapters.evm.facts import TRANSFER
from adapters.evm.rpc import Call, RpcRefused, TooMuchAsked
from adapters.evm.wire import LOGS, checked, number
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.evm.bloom import BloomWatch
    from adapters.evm.providers import Provider
    from adapters.evm.wire import BlockHeader, Log, LogLine
    from ports.chain import Ours

_GROWTH = 8
"""After a full range that went well the next may be longer by one part in this many."""

_PADDING = "0x" + "0" * 24
"""What an address has before it in a word."""


class LogSource:
    """Reads logs, with ranges as long as each provider can bear.

    A provider's limit is found by halving, and tried again in small steps: limits on results
    depend on how busy the blocks are.
    """

    def __init__(
        self,
        *,
        emitters: Sequence[str],
        topics: Sequence[str],
        bloom: BloomWatch,
        span_max: int,
    ) -> None:
        self._wanted: Final = {"address": list(emitters), "topics": [list(topics)]}
        self._bloom: Final = bloom
        self._span_max: Final = span_max
        self._blooms_are_kept = True

    async def read(
        self, provider: Provider, headers: Sequence[BlockHeader], *, ours: Ours | None
    ) -> tuple[Sequence[BlockHeader], Sequence[Log]]:
        """Return the headers that were read, at least one, and their logs in the chain's order.

        Args:
            provider: Who is asked; the headers are its own.
            headers: Blocks that follow each other, not empty.
            ours: Asked which recipients of transfers are ours, once all transfers are known;
                other transfers are left out. None leaves none out.

        Raises:
            ChainUnavailable: the node did not answer, or its logs are not those of these blocks.
        """
        while True:
            try:
                lines = await self._range(provider, headers)
            except (RpcRefused, TooMuchAsked) as refusal:
                if len(headers) == 1 or not asks_for_less(refusal):
                    raise
                headers = headers[: len(headers) // 2]
                provider.span = len(headers)
            else:
                break
        if len(headers) == provider.span:
            grown = provider.span + provider.span // _GROWTH + 1
            provider.span = min(grown, self._span_max)
        await self._check(provider, headers, lines)
        if ours is not None:
            lines = await _of(lines, ours)
        logs = _checked(lines)
        logs.sort(key=lambda log: (number(log.block_number), number(log.log_index)))
        return headers, logs

    async def _range(self, provider: Provider, headers: Sequence[BlockHeader]) -> list[LogLine]:
        limits = {"fromBlock": headers[0].number, "toBlock": headers[-1].number}
        call = Call("eth_getLogs", [{**self._wanted, **limits}])
        return await provider.call(call, answer=LOGS)

    async def _check(
        self, provider: Provider, headers: Sequence[BlockHeader], lines: Sequence[LogLine]
    ) -> None:
        """Make sure that the logs are those of these blocks, and that none is missing."""
        named = {(header.number, header.hash) for header in headers}
        spoken = {(line.block_number, line.block_hash) for line in lines}
        strange = spoken - named
        if strange:
            # The same names may be written otherwise; only then is it worth a closer look.
            named_so = {_name(*name): name for name in named}
            for name in strange:
                if (meant := named_so.get(_name(*name))) is None:
                    raise ChainUnavailable(f"events of block {name[0]} are of another block")
                spoken.add(meant)
        self._learn(headers, spoken)
        silent = [
            header
            for header in headers
            if (header.number, header.hash) not in spoken
            and (not self._blooms_are_kept or self._bloom.may_hold(header.logs_bloom))
        ]
        if not silent:
            return
        # By hash a node cannot answer for a block it does not have (EIP-234).
        calls = [
            Call("eth_getLogs", [{**self._wanted, "blockHash": header.hash}]) for header in silent
        ]
        for header, found in zip(silent, await provider.batch(calls, answer=LOGS), strict=True):
            if found:
                raise ChainUnavailable(f"events of block {number(header.number)} were left out")

    def _learn(self, headers: Sequence[BlockHeader], spoken: set[tuple[str, str]]) -> None:
        """Stop trusting blooms where a block holds what its bloom rules out.

        Some chains leave them empty. There every silent block is asked for by its hash.
        """
        self._blooms_are_kept = self._blooms_are_kept and all(
            self._bloom.may_hold(header.logs_bloom)
            for header in headers
            if (header.number, header.hash) in spoken
        )


async def _of(lines: Sequence[LogLine], ours: Ours) -> list[LogLine]:
    """Leave transfers to strangers out, before anything is made of them."""
    paid = {line.topics.third for line in lines if line.topics.first == TRANSFER}
    addresses = {
        word: "0x" + word[len(_PADDING) :].lower()
        for word in paid
        if word is not None and word.startswith(_PADDING)
    }
    known = await ours(addresses.values())
    kept = {word for word, address in addresses.items() if address in known}
    return [line for line in lines if line.topics.first != TRANSFER or line.topics.third in kept]


def _checked(lines: Iterable[LogLine]) -> list[Log]:
    try:
        return [checked(line) for line in lines]
    except msgspec.ValidationError as error:
        raise ChainUnavailable("eth_getLogs: an event makes no sense") from error


def _name(quantity: str, hash: str) -> tuple[int, str]:
    try:
        return number(quantity), hash.lower()
    except ValueError as error:
        raise ChainUnavailable(f"events of block {quantity[:80]}") from error
