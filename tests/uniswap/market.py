"""Uniswap's own contracts on a chain of this machine, with pools for the tests."""

# What contracts are called with may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec
from eth_typing import HexStr
from web3 import AsyncWeb3
from web3.exceptions import ContractLogicError
from web3.types import Wei

from adapters.evm.contracts import artifacts
from adapters.evm.deploy import MINT_MAX, Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.names import chain_name, native_asset, token_asset
from adapters.evm.rpc import Call, JsonRpc
from adapters.evm.web3_account import TransactionReverted, Web3Account
from adapters.system.clock import SystemClock
from adapters.uniswap_v2.exchange import UniswapV2
from adapters.uniswap_v2.settings import UniswapV2Exchange
from domain.conversions.swaps import Swap
from domain.shared.money import AssetId, Money
from tests.contracts.exchange import COINS, DEEP, PURSE, SHALLOW
from tests.support.uniswap.contracts import CORE, PERIPHERY, artifact
from tests.support.uniswap.node_requests import NodeRequests

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from domain.conversions.pools import Path
    from domain.conversions.swaps import SwapCall
    from tests.support.uniswap.contracts import Artifact

CHAIN_ID: Final = 31_337
CHAIN: Final = chain_name(CHAIN_ID)
COIN: Final = native_asset(CHAIN)
NOWHERE: Final = AssetId("")
"""Stands for a token that is not deployed yet."""

MAKER, OWNER, RECIPIENT = range(3)
"""Places among the devnet's public accounts: who has made the pools, who swaps, who receives."""

SUPPLY: Final = 10**30
GAS: Final = 500_000
"""More than any swap here needs; a transaction that fails is included with it too."""

MAKER_GAS: Final = 4_000_000
"""Enough to make a new pair."""

FOREVER: Final = 2**63
UNLIMITED: Final = 2**256 - 1
FEE_LIMIT: Final = 10**17
_ANYTHING = msgspec.json.Decoder()


def address(place: int) -> str:
    return devnet_accounts()[place].address.lower()


def token_address(asset: AssetId) -> str:
    return asset.rpartition(":")[2]


@attrs.define
class GenuineMarket:
    """Implements `tests.contracts.exchange.Market` on the node at `url`."""

    url: str
    rpc: JsonRpc
    maker: Deployer
    account: Web3Account
    router: str = ""
    factory: str = ""
    wrapped: str = ""
    one: AssetId = NOWHERE
    two: AssetId = NOWHERE
    hub: AssetId = NOWHERE
    stranger: AssetId = NOWHERE
    leaky: AssetId = NOWHERE
    """A token that burns a hundredth of each transfer."""
    exchange: UniswapV2 = attrs.field(init=False)
    owner: str = address(OWNER)
    recipient: str = address(RECIPIENT)
    coin: AssetId = COIN

    @classmethod
    async def prepare(cls, url: str, closing: AsyncExitStack) -> GenuineMarket:
        """Open a market on a chain on which `deploy` has put one, or is to."""
        return cls(
            url,
            await closing.enter_async_context(JsonRpc(url, timeout_seconds=20)),
            await closing.enter_async_context(Deployer(url, devnet_accounts()[MAKER].private_key)),
            await closing.enter_async_context(
                Web3Account(url, devnet_accounts()[OWNER].private_key)
            ),
        )

    async def deploy(self) -> dict[str, Any]:
        """Put everything on the chain; return what `adopt` needs to know of it."""
        zero = "0x" + "00" * 20
        factory = await self._create(artifact(CORE, "UniswapV2Factory"), zero)
        wrapped = await self._create(artifact(PERIPHERY, "WETH9"))
        router = await self._create(artifact(PERIPHERY, "UniswapV2Router02"), factory, wrapped)
        tokens = [await self._create(artifact(CORE, "ERC20"), SUPPLY) for _ in range(3)]
        leaky = await self._create(artifact(PERIPHERY, "DeflatingERC20"), SUPPLY)
        one = (await self.maker.deploy_token()).address
        await self.maker.mint(one, holders={self.maker.address: 3 * MINT_MAX})
        places = {"factory": factory, "wrapped": wrapped, "router": router}
        names = dict(zip(("two", "hub", "stranger"), tokens, strict=True))
        assets = {name: token_asset(CHAIN, at) for name, at in {**names, "leaky": leaky}.items()}
        adopted = {**places, **assets, "one": token_asset(CHAIN, one)}
        self.adopt(adopted)
        for token in (self.one, self.two, self.hub, self.leaky):
            await self._approve(token)
            await self._transfer(token, self.owner, PURSE)
        await self._add(self.one, SHALLOW, self.two, SHALLOW)
        await self._add(self.one, DEEP, self.hub, DEEP)
        await self._add(self.hub, DEEP, self.two, DEEP)
        await self._add(self.leaky, DEEP, self.two, DEEP)
        await self._maker_calls(
            "addLiquidityETH",
            [_sum(token_address(self.hub)), DEEP, 0, 0, _sum(self.maker.address), FOREVER],
            value=COINS,
        )
        return adopted

    def adopt(self, deployed: dict[str, Any]) -> None:
        """Work with what is on the chain already."""
        for name, value in deployed.items():
            setattr(self, name, value)
        self.exchange = self.seen_as()

    def seen_as(self, **changes: Any) -> UniswapV2:
        """Return an exchange over these contracts, with settings changed."""
        return UniswapV2(
            attrs.evolve(self.settings(), **changes), NodeRequests(self.rpc), clock=SystemClock()
        )

    def settings(self) -> UniswapV2Exchange:
        return UniswapV2Exchange(
            name="Uniswap v2",
            chain_id=CHAIN_ID,
            router=self.router,
            factory=self.factory,
            wrapped=self.wrapped,
            fee_bps=30,
            fee_limit_wei=FEE_LIMIT,
        )

    async def now(self) -> datetime:
        block = await self.control("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - wire
        return datetime.fromtimestamp(int(block["timestamp"], 16), tz=UTC)

    async def send(self, call: SwapCall, *, gas: int = GAS) -> str:
        """Send with enough gas not to be tried out first, so that a failure is included."""
        assert call.sender == self.account.address
        try:
            receipt = await self.account.send(
                {
                    "to": _sum(call.target),
                    "data": HexStr("0x" + call.data.hex()),
                    "value": Wei(call.value),
                    "gas": gas,
                }
            )
        except TransactionReverted as reverted:
            return reverted.hash
        return receipt["transactionHash"].to_0x_hex()

    async def trade(self, money: Money, *, path: Path) -> None:
        route = [_sum(token_address(asset)) for asset in path.assets]
        target = _sum(self.maker.address)
        await self._maker_calls(
            "swapExactTokensForTokens", [money.amount, 1, route, target, FOREVER]
        )

    async def wait(self, *, seconds: int) -> None:
        await self.control("evm_increaseTime", seconds)
        await self.control("evm_mine")

    async def held(self, holder: str, asset: AssetId) -> int:
        if asset == self.coin:
            return int(await self.control("eth_getBalance", holder, "latest"), 16)
        token = self._contract(token_address(asset), artifact(CORE, "ERC20").abi)
        return int(await token.functions.balanceOf(_sum(holder)).call())

    async def amounts(self, function: str, amount: int, path: Path) -> list[int]:
        """Ask the router itself (``getAmountsOut``, ``getAmountsIn``); nothing if it refuses."""
        router = self._contract(self.router, artifact(PERIPHERY, "UniswapV2Router02").abi)
        route = [
            _sum(self.wrapped if asset == self.coin else token_address(asset))
            for asset in path.assets
        ]
        try:
            return list(await router.functions[function](amount, route).call())
        except ContractLogicError:
            return []

    async def create_pair(self, first: AssetId, second: AssetId) -> None:
        """Have the factory make a pool with nothing in it."""
        factory = self._contract(self.factory, artifact(CORE, "UniswapV2Factory").abi)
        tokens = [_sum(token_address(asset)) for asset in (first, second)]
        data = factory.encode_abi("createPair", tokens)
        await self.maker.send({"to": factory.address, "data": data})

    async def control(self, method: str, *params: object) -> Any:
        return await self.rpc.call(Call(method, params), answer=_ANYTHING)

    def usual(self, money: Money, path: Path, now: datetime, *, minimum: int = 1) -> Swap:
        """Return a swap at any price."""
        return Swap(
            money_in=money,
            minimum_out=Money(minimum, path.target),
            path=path,
            deadline=now + timedelta(minutes=5),
            sender=self.owner,
            recipient=self.recipient,
        )

    async def _create(self, artifact: Artifact, *arguments: object) -> str:
        contract = self.maker.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        checked = [_sum(each) if isinstance(each, str) else each for each in arguments]
        data = contract.constructor(*checked).data_in_transaction
        receipt = await self.maker.send({"data": data})
        created = receipt["contractAddress"]
        assert created is not None
        return created.lower()

    async def _approve(self, token: AssetId) -> None:
        await self._on_token(token, "approve", [_sum(self.router), UNLIMITED])

    async def _transfer(self, token: AssetId, target: str, amount: int) -> None:
        await self._on_token(token, "transfer", [_sum(target), amount])

    async def _add(self, first: AssetId, amount: int, second: AssetId, other: int) -> None:
        tokens = [_sum(token_address(asset)) for asset in (first, second)]
        maker = _sum(self.maker.address)
        await self._maker_calls("addLiquidity", [*tokens, amount, other, 0, 0, maker, FOREVER])

    async def _on_token(self, token: AssetId, function: str, arguments: list[Any]) -> None:
        contract = self._contract(token_address(token), artifacts.load("TestUSDT").abi)
        data = contract.encode_abi(function, arguments)
        await self.maker.send({"to": contract.address, "data": data})

    async def _maker_calls(self, function: str, arguments: list[Any], *, value: int = 0) -> None:
        router = self._contract(self.router, artifact(PERIPHERY, "UniswapV2Router02").abi)
        data = router.encode_abi(function, arguments)
        # A pair writes more in the first transaction of a block than an estimate has seen.
        await self.maker.send(
            {"to": router.address, "data": data, "value": Wei(value), "gas": MAKER_GAS}
        )

    def _contract(self, at: str, abi: Any) -> Any:
        return self.maker.web3.eth.contract(address=_sum(at), abi=abi)


def _sum(at: str) -> Any:
    return AsyncWeb3.to_checksum_address(at)
