"""How far a chain has come, by the word of one provider, or of as many as must agree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from adapters.evm.ages import newest_aged
from adapters.evm.complaints import asks_for_patience
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.wire import HEADER, QUANTITY, number
from domain.chains.model import Block, Head
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from adapters.evm.providers import Provider
    from adapters.evm.wire import BlockHeader

SURVEY_SECONDS: Final = 10.0
"""How often all providers are asked for their latest block."""

FINALITY: Final = "finalized"
_TAGS = (FINALITY, "safe", "latest")


class ProvidersDisagree(ChainUnavailable):
    """Two providers name different blocks under a number that one of them calls final."""

    def __init__(self, block_number: int, names: list[str]) -> None:
        super().__init__(f"block {block_number} is {' or '.join(names)}")
        self.block_number = block_number


class HeadSource:
    """Asks for heads; nothing is final before as many providers as the quorum name it alike."""

    def __init__(self, node: EvmNode) -> None:
        self._node: Final = node
        self._settings: Final = node.chain
        self._agreed: Head | None = None
        self._aged = 0

    async def read(self) -> Head:
        """Return the latest block's number, the safe one's, and the final one's with its name.

        Where too few providers have the final block, it stays the one on which enough have agreed.

        Raises:
            ProvidersDisagree: on the final block's name.
            ChainUnavailable: no provider answered, or too few and none have agreed before.
        """
        await self._node.ensure_open()
        await self._node.providers.survey(every_seconds=SURVEY_SECONDS)
        provider, head = await self._node.steadily(self._said_by, asked_for=FINALITY)
        if self._settings.quorum == 1:
            return head
        number, name = await self._final(provider, head)
        before = self._agreed
        if before is not None and number <= before.final:
            number, name = before.final, before.final_hash
        if number < 0:
            raise ChainUnavailable("too few providers answer for the final block")
        latest = max(head.latest, number)
        safe = min(max(head.safe, number), latest)
        self._agreed = Head(latest=latest, safe=safe, final=number, final_hash=name)
        return self._agreed

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Tell whether so many providers have this very block under its number.

        Raises:
            ProvidersDisagree: one has another.
        """
        await self._node.ensure_open()
        call = Call("eth_getBlockByNumber", [hex(block.number), False])
        told = await self._node.providers.others(None, call, answer=HEADER)
        names = [header.hash.lower() for header in told.values() if header is not None]
        if set(names) - {block.hash}:
            raise ProvidersDisagree(block.number, sorted({block.hash, *names}))
        return len(names) >= providers

    async def _final(self, provider: Provider, head: Head) -> tuple[int, str]:
        """Return the highest block that enough providers have alike, or -1.

        Raises:
            ProvidersDisagree: some have it otherwise.
        """
        needed = self._settings.quorum - 1
        providers = self._node.providers
        told = await providers.others(provider, Call("eth_blockNumber"), answer=QUANTITY)
        heights = sorted((number(height) for height in told.values()), reverse=True)
        if len(heights) < needed:
            return -1, ""
        height = min(head.final, heights[needed - 1])
        call = Call("eth_getBlockByNumber", [hex(height), False])
        headers = list((await providers.others(provider, call, answer=HEADER)).values())
        if height < head.final:
            headers.append(await provider.call(call, answer=HEADER))
        names = {header.hash.lower() for header in headers if header is not None}
        count = sum(header is not None for header in headers)
        if height == head.final:
            names.add(head.final_hash)
            count += 1
        if len(names) > 1:
            raise ProvidersDisagree(height, sorted(names))
        return (height, names.pop()) if count > needed else (-1, "")

    async def _said_by(self, provider: Provider) -> tuple[Provider, Head]:
        """Return a provider, and the head by its word alone.

        Its blocks are asked for in rising order, so that a block mined in between cannot make an
        older answer look ahead of a newer one.
        """
        depth = self._settings.confirmations
        if self._settings.age_seconds:
            return provider, await self._old_enough(provider, depth or 0)
        if depth is not None:
            latest = number(await provider.call(Call("eth_blockNumber"), answer=QUANTITY))
            call = Call("eth_getBlockByNumber", [hex(max(latest - depth, 0)), False])
            header = await provider.call(call, answer=HEADER)
            if header is None:
                raise ChainUnavailable("the node does not know a block below its latest")
            final = block_of(header)
            return provider, Head(
                latest=latest, safe=final.number, final=final.number, final_hash=final.hash
            )
        calls = [Call("eth_getBlockByNumber", [tag, False]) for tag in _TAGS]
        try:
            headers = await provider.batch(calls, answer=HEADER)
        except RpcRefused as refusal:
            if not asks_for_patience(refusal):
                provider.health.lacks(FINALITY)
            raise
        if headers[0] is None or headers[1] is None:
            # As a node says that came up a moment ago, and one that has no such tags.
            provider.health.lacks(FINALITY)
        said, safe, newest = (block_of(_there(header)) for header in headers)
        last = said if said.number <= newest.number else newest
        return provider, Head(
            latest=newest.number,
            safe=min(max(safe.number, last.number), newest.number),
            final=last.number,
            final_hash=last.hash,
        )

    async def _old_enough(self, provider: Provider, depth: int) -> Head:
        """Return a provider's head where the final block is both deep and old enough."""
        call = Call("eth_getBlockByNumber", ["latest", False])
        latest = _there(await provider.call(call, answer=HEADER))
        height = number(latest.number)
        final = await newest_aged(
            provider,
            highest=max(height - depth, 0),
            by=number(latest.timestamp) - self._settings.age_seconds,
            hint=self._aged,
        )
        self._aged = number(final.number)
        return Head(
            latest=height, safe=self._aged, final=self._aged, final_hash=final.hash.lower()
        )


def block_of(header: BlockHeader) -> Block:
    """Return a block as the domain knows it.

    Raises:
        ChainUnavailable: it is of no time that there is.
    """
    try:
        time = datetime.fromtimestamp(number(header.timestamp), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ChainUnavailable(f"a block of the time {header.timestamp}") from error
    return Block(
        number=number(header.number),
        hash=header.hash.lower(),
        parent=header.parent_hash.lower(),
        time=time,
    )


def _there(header: BlockHeader | None) -> BlockHeader:
    if header is None:
        raise ChainUnavailable("the node does not know its own latest, safe or finalized block")
    return header
