"""A node of the chain that the configuration means: nothing is asked of any other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, TypeVar

import attrs

from adapters.evm.names import token_of
from adapters.evm.rpc import Call, JsonRpc, RpcRefused
from adapters.evm.wire import BYTES, QUANTITY, number
from domain.shared.money import AssetId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from msgspec.json import Decoder

    from adapters.evm.settings import EvmChain
    from domain.shared.money import Asset

_DECIMALS_CALL = "0x313ce567"
"""The call data of ``decimals()``."""
_EMPTY = "0x"

_Answer = TypeVar("_Answer")


@attrs.frozen
class WrongChain(Exception):
    """The node is of another chain than the configuration says."""

    expected: int
    got: int


@attrs.frozen
class WrongDecimals(Exception):
    """A token's contract counts in other units than the configuration, or does not say."""

    asset: AssetId
    expected: int
    got: int | None


@attrs.frozen
class NoEscrowContract(Exception):
    """There is no code at the escrow contract's address: calls to it would succeed in silence."""

    address: str


class EvmNode:
    """A client that checks, before anything else, that the node fits the configuration.

    `open` refuses to start on a misfit. Where it was not called, or no node answered then, the
    first call does the same.
    """

    def __init__(self, chain: EvmChain) -> None:
        self.chain: Final = chain
        self._rpc: Final = JsonRpc(
            chain.rpc_url,
            timeout_seconds=chain.request_timeout_seconds,
            batch_calls=chain.batch_calls,
        )
        self._opening: Final = asyncio.Lock()
        self._fits = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rpc.aclose()

    async def open(self) -> None:
        """Check the node against the configuration, once.

        Raises:
            WrongChain: it is of another chain.
            WrongDecimals: a token counts in other units.
            NoEscrowContract: the escrow contract is not on this chain.
            ChainUnavailable: it did not answer; nothing is known.
        """
        async with self._opening:
            if self._fits:
                return
            got = number(await self._rpc.call(Call("eth_chainId"), answer=QUANTITY))
            if got != self.chain.chain_id:
                raise WrongChain(self.chain.chain_id, got)
            for token in self.chain.tokens:
                if token.id not in self.chain.decimals_unread:
                    await self._check_decimals(token)
            code = Call("eth_getCode", [self.chain.escrow, "latest"])
            if await self._rpc.call(code, answer=BYTES) == _EMPTY:
                raise NoEscrowContract(self.chain.escrow)
            self._fits = True

    async def call(self, call: Call, *, answer: Decoder[_Answer]) -> _Answer:
        """Ask once; see `JsonRpc.call` and `open` for what is raised."""
        await self._ensure_open()
        return await self._rpc.call(call, answer=answer)

    async def batch(self, calls: Sequence[Call], *, answer: Decoder[_Answer]) -> list[_Answer]:
        """Ask many things of one kind; see `JsonRpc.batch` and `open` for what is raised."""
        await self._ensure_open()
        return await self._rpc.batch(calls, answer=answer)

    async def _ensure_open(self) -> None:
        if not self._fits:
            await self.open()

    async def _check_decimals(self, token: Asset) -> None:
        request = {"to": token_of(token.id, chain=self.chain.chain), "data": _DECIMALS_CALL}
        try:
            word = await self._rpc.call(Call("eth_call", [request, "latest"]), answer=BYTES)
        except RpcRefused as error:
            if not error.reverted:
                raise
            raise WrongDecimals(token.id, token.decimals, None) from error
        got = None if word == _EMPTY else number(word)
        if got != token.decimals:
            raise WrongDecimals(token.id, token.decimals, got)
