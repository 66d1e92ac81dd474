"""``switchyard chain``: what an operator decides about chains and transactions on them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import Result

from adapters.evm.devnet.devnet import Devnet
from adapters.postgres.storage import PostgresStorage
from domain.chains.sequences import KeyUsedElsewhere
from domain.chains.submissions import SubmissionState
from domain.settlements.payouts import PayoutState
from tests.adapters.evm.local_chain import LocalChain
from tests.builders import CHAIN, COIN, CONTRACT, USDT
from tests.concurrency.gateway import open_gateways
from tests.domain.scene import HOT, TREASURY
from tests.domain.services import Surroundings
from tests.domain.world import World
from tests.entrypoints.cli.conftest import CLOSED_PORT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from domain.settlements.payouts import Payout


@attrs.frozen
class Operator:
    """The command line over the database of a gateway that pays somebody out."""

    world: World
    run: Callable[..., Result]

    async def payout(self) -> Payout:
        await self.world.released()
        [settlement] = await self.world.services.settlements.run()
        assert settlement.payout_id is not None
        return await self.world.payout(settlement.payout_id)


@pytest.fixture
async def operator(
    written: Callable[..., Path], switchyard: Callable[..., Result], postgres_dsn: str
) -> AsyncIterator[Operator]:
    file = written(**settings(postgres_dsn, f"http://127.0.0.1:{CLOSED_PORT}"))
    around = Surroundings()
    storage = PostgresStorage(dsn=postgres_dsn, clock=around.clock, ids=around.ids)
    await storage.open()
    try:
        world = (await open_gateways([storage], around)).world
        yield Operator(world, lambda *words: command(switchyard, file, *words))
    finally:
        await storage.close()


def settings(dsn: str, rpc_url: str) -> dict[str, Any]:
    chain = {
        "id": CHAIN,
        "rpc_url": rpc_url,
        "escrow_contract": CONTRACT,
        "hot_wallet": HOT,
        "treasury": TREASURY,
        "first_block": 3,
    }
    assets = [{"id": it.id, "symbol": it.symbol, "decimals": it.decimals} for it in (USDT, COIN)]
    dollar = {"id": "iso4217:USD", "symbol": "USD", "decimals": 2}
    return {"database": {"url": dsn}, "chains": [chain], "assets": [*assets, dollar]}


def command(switchyard: Callable[..., Result], file: Path, *words: str) -> Result:
    """Run a command in a thread: it has an event loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(switchyard, "chain", *words, "--settings", str(file)).result()


async def test_a_payout_that_is_not_signed_is_canceled_at_once(operator: Operator) -> None:
    payout = await operator.payout()

    told = operator.run("cancel", str(payout.submission_id))

    assert (told.exit_code, told.stdout) == (0, f"{payout.submission_id}  refused  taken back\n")
    assert (await operator.world.payout(payout.id)).state is PayoutState.REFUSED


async def test_a_payout_that_waits_is_canceled_by_the_chain(operator: Operator) -> None:
    payout = await operator.payout()
    await operator.world.send()
    operator.world.chain.stick()

    told = operator.run("cancel", str(payout.submission_id))

    assert told.exit_code == 0, told.stderr
    assert "the chain decides what becomes of it" in told.stdout
    await operator.world.send_and_settle_down()
    assert (await operator.world.payout(payout.id)).state is PayoutState.REFUSED
    assert payout.submission_id is not None
    async with operator.world.services.begin() as work:
        ended = await work.chains.lock_submission(payout.submission_id)
    assert ended.state is SubmissionState.CANCELED

    again = operator.run("cancel", str(payout.submission_id))
    assert again.exit_code == 1
    assert again.stderr.startswith("The submission is not in a state")


async def test_what_there_is_not_cannot_be_canceled(operator: Operator) -> None:
    told = operator.run("cancel", "sub_99")

    assert (told.exit_code, "sub_99" in told.stderr) == (1, True)


async def test_a_chain_whose_key_is_used_elsewhere_is_resumed_with_a_number(
    operator: Operator,
) -> None:
    payout = await operator.payout()
    operator.world.chain.blocks._sequences.put(HOT, 7)
    with pytest.raises(KeyUsedElsewhere):
        await operator.world.send()

    told = operator.run("resume", CHAIN, "--next-number", "7")

    assert (told.exit_code, told.stdout) == (0, f"{CHAIN} moves again\n")
    await operator.world.send_and_settle_down()
    assert (await operator.world.payout(payout.id)).state is PayoutState.CONFIRMED


async def test_a_chain_that_there_is_not_cannot_be_resumed(operator: Operator) -> None:
    told = operator.run("resume", "eip155:1")

    assert (told.exit_code, told.stderr) == (1, f"no chain eip155:1; there are {CHAIN}\n")


async def test_fees_of_a_chain_without_a_market_are_not_known(operator: Operator) -> None:
    told = operator.run("fees", "ton:-3")

    assert told.exit_code == 1
    assert "ton:-3" in told.stderr


async def test_fees_are_told_by_the_chain_s_node(
    written: Callable[..., Path], switchyard: Callable[..., Result], postgres_dsn: str
) -> None:
    with Devnet() as devnet:
        async with AsyncExitStack() as closing:
            chain = await LocalChain.prepare(devnet.url, closing)
            told = settings(postgres_dsn, devnet.url)
            told["chains"] = [{**told["chains"][0], "escrow_contract": chain.escrow}]
            told["assets"] = told["assets"][1:]
            file = written(**told)
            lines = command(switchyard, file, "fees", CHAIN, "--within", "60")

    assert lines.exit_code == 0, lines.stderr
    first, *offers = lines.stdout.splitlines()
    assert first.startswith(f"{CHAIN}  block ")
    assert [line.split()[0] for line in offers] == ["slow", "normal", "fast", "target"]
    assert "sweep 0.0" in offers[0]
