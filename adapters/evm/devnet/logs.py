"""``eth_getLogs``: filters, and the blooms that let most blocks be skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from eth_bloom.bloom import BloomFilter

from adapters.evm.devnet import arguments
from adapters.evm.devnet.encoding import log_json
from adapters.evm.devnet.protocol import (
    LIMIT_EXCEEDED,
    SERVER_ERROR,
    InvalidParams,
    RpcError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eth.abc import BlockHeaderAPI, LogAPI

    from adapters.evm.devnet.chain import SealedBlock
    from adapters.evm.devnet.encoding import Json
    from adapters.evm.devnet.node import DevnetNode

MAX_BLOCK_RANGE = 10_000
MAX_RESULTS = 20_000
MAX_TOPICS = 4


@attrs.frozen(kw_only=True, eq=False)
class LogFilter:
    """Alternatives per field; an empty set of alternatives matches everything."""

    addresses: frozenset[bytes]
    topics: tuple[frozenset[int], ...]
    _blooms: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, *, addresses: Iterable[bytes], topics: Iterable[Iterable[bytes]]) -> LogFilter:
        """Make a filter and the bits each alternative sets in a bloom."""
        address_set = frozenset(addresses)
        topic_sets = tuple(frozenset(alternatives) for alternatives in topics)
        return cls(
            addresses=address_set,
            topics=tuple(
                frozenset(int.from_bytes(one, "big") for one in alternatives)
                for alternatives in topic_sets
            ),
            blooms=tuple(
                tuple(_bloom_bits(one) for one in alternatives)
                for alternatives in (address_set, *topic_sets)
                if alternatives
            ),
        )

    def may_match(self, bloom: int) -> bool:
        """Tell whether a block or receipt with this bloom can hold a match."""
        return bloom != 0 and all(
            any(bloom & bits == bits for bits in alternatives) for alternatives in self._blooms
        )

    def matches(self, log: LogAPI) -> bool:
        """Tell whether a log is wanted."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(log.topics) < len(self.topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, log.topics, strict=False)
        )


def get_logs(node: DevnetNode, request: object) -> list[Json]:
    """Answer ``eth_getLogs``.

    Raises:
        RpcError: The request is malformed, or asks for too much.
    """
    if not isinstance(request, dict):
        raise InvalidParams("invalid argument 0: an object wanted")
    wanted = LogFilter.of(
        addresses=_addresses(request.get("address")), topics=_topics(request.get("topics"))
    )
    found: list[Json] = []
    for header in _headers(node, request):
        if wanted.may_match(header.bloom):
            found.extend(_matches(node.chain.block(header), wanted))
            if len(found) > MAX_RESULTS:
                raise RpcError(LIMIT_EXCEEDED, f"query returned more than {MAX_RESULTS} results")
    return found


def _matches(sealed: SealedBlock, wanted: LogFilter) -> Iterator[Json]:
    position = 0
    for index, receipt in enumerate(sealed.receipts):
        for log in receipt.logs:
            if wanted.matches(log):
                yield log_json(sealed, index, log, position)
            position += 1


def _headers(node: DevnetNode, request: dict[str, object]) -> Iterator[BlockHeaderAPI]:
    if "blockHash" in request:
        if request.get("fromBlock") is not None or request.get("toBlock") is not None:
            raise InvalidParams("cannot specify both BlockHash and FromBlock/ToBlock")
        wanted = arguments.sized(request["blockHash"], arguments.WORD_BYTES, "blockHash")
        header = node.chain.canonical_header(wanted)
        if header is None:
            raise RpcError(SERVER_ERROR, "unknown block")
        yield header
        return
    first = arguments.block_number(node, request.get("fromBlock"))
    last = arguments.block_number(node, request.get("toBlock"))
    if first > last:
        raise InvalidParams("invalid block range params")
    if last - first >= MAX_BLOCK_RANGE:
        raise RpcError(LIMIT_EXCEEDED, f"block range is limited to {MAX_BLOCK_RANGE} blocks")
    for number in range(first, min(last, node.chain.head.block_number) + 1):
        block_hash = node.chain.hash_at(number)
        if block_hash is not None:
            yield node.chain.header_by_hash(block_hash)


def _addresses(value: object) -> list[bytes]:
    if value is None:
        return []
    if isinstance(value, list):
        return [arguments.address(one) for one in value]
    return [arguments.address(value)]


def _topics(value: object) -> list[list[bytes]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise InvalidParams(f"invalid argument topics: a list of at most {MAX_TOPICS} wanted")
    return [_alternatives(one) for one in value]


def _alternatives(value: object) -> list[bytes]:
    if value is None:
        return []
    if not isinstance(value, list):
        return [_topic(value)]
    # A null among the alternatives matches anything, and so does the whole position.
    return [] if None in value else [_topic(one) for one in value]


def _topic(value: object) -> bytes:
    return arguments.sized(value, arguments.WORD_BYTES, "topics")


def _bloom_bits(value: bytes) -> int:
    bloom = BloomFilter()
    bloom.add(value)
    return int(bloom)
