from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pytoniq import LiteServerError

from adapters.ton.devnet.blocks import WHOLE_SHARD
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.parameters import ChainParameters, GasPrices
from adapters.ton.devnet.threaded import ThreadedTonDevnet
from tests.adapters.ton.devnet.box import TON, Box, client_of, somebody, until

if TYPE_CHECKING:
    from pytoniq_core import Address


async def test_it_starts_and_mines_by_itself() -> None:
    async with TonDevnet(block_seconds=0.02) as devnet:
        first = devnet.head.seqno
        async with client_of(devnet.config()) as client:

            async def mined() -> bool:
                return bool(client.last_mc_block.seqno >= first + 3)

            await until(mined)


async def test_its_time_may_stand_still() -> None:
    async with TonDevnet(block_seconds=0, clock=lambda: 1_800_000_000) as devnet:
        devnet.mine(blocks=2)
        assert devnet.chain.head.at == 1_800_000_000
        devnet.advance(seconds=60)
        assert (devnet.now, devnet.chain.head.at) == (1_800_000_060, 1_800_000_060)
        with pytest.raises(ValueError, match="time does not go back 1 s"):
            devnet.advance(seconds=-1)


async def test_its_blocks_never_go_back_in_time() -> None:
    times = iter([1_800_000_000, 1_800_000_000, 1_700_000_000, 1_700_000_000])
    async with TonDevnet(block_seconds=0, clock=lambda: next(times)) as devnet:
        devnet.mine()
        devnet.mine()
        assert devnet.chain.head.at == 1_800_000_000


async def test_two_liteservers_have_keys_and_ports_of_their_own() -> None:
    async with TonDevnet(block_seconds=0, liteservers=2) as devnet:
        one, other = devnet.config()["liteservers"]
        assert one["port"] != other["port"]
        assert one["id"] != other["id"]
        assert one["ip"] == other["ip"] == 0x7F000001


@pytest.mark.parametrize("price", [400, 66])
async def test_gas_costs_what_the_parameters_say(price: int) -> None:
    prices = GasPrices(flat_price=0, price=price, special_limit=10**6, block_limit=10**7)
    async with (
        TonDevnet(block_seconds=0, parameters=ChainParameters(gas=prices)) as devnet,
        client_of(devnet.config()) as client,
    ):
        wallet = await Box(devnet, client).wallet()
        (deployed, _) = await client.get_transactions(wallet.address, 2)
        compute = deployed.description.compute_ph
        assert compute is not None
        assert compute.gas_used > 100
        assert compute.gas_fees == (compute.gas_used - 100) * price


def test_it_runs_in_a_thread() -> None:
    payee = somebody()
    with ThreadedTonDevnet(lambda: TonDevnet(block_seconds=0)) as threaded:
        threaded.call(lambda devnet: devnet.give(address=payee, amount=TON))
        threaded.call(lambda devnet: devnet.mine_all())
        assert asyncio.run(_balance(threaded, payee)) == TON
    with pytest.raises(RuntimeError, match="not started"):
        threaded.config()


async def _balance(threaded: ThreadedTonDevnet, address: Address) -> int:
    async with client_of(threaded.config()) as client:
        balance: int = (await client.get_account_state(address)).balance
    return balance


async def test_it_forgets_old_blocks_and_says_so() -> None:
    payee = somebody()
    async with (
        TonDevnet(block_seconds=0, blocks_kept=4) as devnet,
        client_of(devnet.config()) as client,
    ):
        devnet.give(address=payee, amount=TON)
        devnet.mine()
        old = devnet.head
        assert (await client.raw_get_account_state(payee, old))[0] is not None
        devnet.mine(blocks=8)
        with pytest.raises(LiteServerError, match="is not in db"):
            await client.raw_get_account_state(payee, old)
        with pytest.raises(LiteServerError, match="block is not found"):
            await client.lookup_block(-1, WHOLE_SHARD, old.seqno)
        found, _ = await client.lookup_block(-1, WHOLE_SHARD, devnet.head.seqno - 3)
        assert found.seqno == devnet.head.seqno - 3
        assert len(await client.get_transactions(payee, 5)) == 1
