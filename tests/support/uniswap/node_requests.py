"""The EVM adapter's client as the exchange adapter wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from adapters.evm.node import EvmNode
from adapters.evm.rpc import Call, JsonRpc, RpcRefused
from adapters.uniswap_v2.requests import CallRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec.json import Decoder

    from adapters.uniswap_v2.requests import Request

_Answer = TypeVar("_Answer")


@attrs.frozen
class NodeRequests:
    """Asks a node; implements `adapters.uniswap_v2.requests.EvmRequests`."""

    node: EvmNode | JsonRpc

    async def ask(self, request: Request, *, answer: Decoder[_Answer]) -> _Answer:
        """Ask once."""
        try:
            return await self.node.call(Call(request.method, request.params), answer=answer)
        except RpcRefused as refusal:
            raise _refused(refusal) from refusal

    async def ask_all(
        self, requests: Sequence[Request], *, answer: Decoder[_Answer]
    ) -> Sequence[_Answer]:
        """Ask many things of one kind in one batch."""
        calls = [Call(request.method, request.params) for request in requests]
        try:
            return await self.node.batch(calls, answer=answer)
        except RpcRefused as refusal:
            raise _refused(refusal) from refusal


def _refused(refusal: RpcRefused) -> CallRefused:
    return CallRefused(refusal.message, data=refusal.data, reverted=refusal.reverted)
