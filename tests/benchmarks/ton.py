"""TON: deposits read from the chain in a box, and payouts in batches, where there is a TVM."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.emulator import emulator_library
from adapters.ton.highload import TRANSFERS_MAX
from adapters.ton.liteservers import Liteservers
from adapters.ton.settings import TESTNET, TonChain
from domain.chains.model import Transfer
from tests.adapters.ton.on_devnet.gateway import COIN, batch, coins, gateway
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.benchmarks.world import Bench

BLOCKS, QUICK_BLOCKS = 100, 20
DEPOSITS = 10
"""In each block that is read."""
BATCHES, QUICK_BATCHES = 6, 1


@attrs.frozen
class Measured:
    """What was measured, per second."""

    mined: float
    """Deposits that the box took in."""
    read: float
    paid: float


def measure(bench: Bench) -> Iterator[Figure]:
    """Start a box, read deposits by memo, and pay in full batches."""
    if emulator_library() is None:
        return
    started, connected = run(_start())
    yield Figure(
        name="ton/box starts",
        value=started * 1_000,
        unit="ms",
        reference=connected * 1_000,
        against="pytoniq's balancer connects",
    )
    measured = run(_measure(quick=bench.quick))
    yield Figure(
        name="ton/deposits recognised",
        value=measured.read,
        unit="deposits/s",
        reference=measured.mined,
        against="the box itself takes them in",
    )
    yield Figure(
        name=f"ton/payouts in batches of {TRANSFERS_MAX}",
        value=measured.paid,
        unit="payouts/s",
        reference=measured.mined,
        against="the box takes in deposits",
    )


async def _start() -> tuple[float, float]:
    """Return the seconds until a box listens, and until a client is connected to it."""
    began = time.perf_counter()
    async with TonDevnet(block_seconds=0) as devnet:
        started = time.perf_counter()
        settings = TonChain(global_id=TESTNET, config=devnet.config(), native=COIN)
        async with Liteservers(settings):
            return started - began, time.perf_counter() - started


async def _measure(*, quick: bool) -> Measured:
    async with gateway() as gate:
        mined, read = await _deposits(gate, blocks=QUICK_BLOCKS if quick else BLOCKS)
        return Measured(mined, read, await _payouts(gate, QUICK_BATCHES if quick else BATCHES))


async def _deposits(gate: Gateway, *, blocks: int) -> tuple[float, float]:
    first, count = gate.devnet.head.seqno + 1, blocks * DEPOSITS
    began = time.perf_counter()
    for block in range(blocks):
        for number in range(DEPOSITS):
            memo = f"memo {block} {number}"
            gate.devnet.give(address=gate.sender.sender, amount=10**9, comment=memo)
        gate.devnet.mine()
    gate.devnet.mine_all()
    mined = time.perf_counter() - began
    began, memos = time.perf_counter(), set[str | None]()
    while first <= (last := gate.devnet.head.seqno):
        scan = await gate.reader.scan(first=first, last=last)
        facts = [each.fact for each in scan.observations]
        memos |= {fact.memo for fact in facts if isinstance(fact, Transfer)}
        first += len(scan.blocks)
    read = time.perf_counter() - began
    expect("memos that were read", expected=count, found=len(memos))
    return count / mined, count / read


async def _payouts(gate: Gateway, batches: int) -> float:
    """Return payouts per second from the instruction to an inclusion with nothing under way."""
    began = time.perf_counter()
    for sequence in range(batches):
        payees = [gate.somebody(f"{sequence} {number}") for number in range(TRANSFERS_MAX)]
        prepared = await gate.sender.prepare(batch([coins(1_000, payee) for payee in payees]))
        signed = await gate.sender.sign(prepared, sequence=sequence)
        await gate.sender.broadcast(signed)
        gate.devnet.mine_all()
        gate.devnet.mine()
        [inclusion] = await gate.reader.inclusions([signed.hash])
        ended = (inclusion.succeeded, inclusion.settled, inclusion.failed)
        expect("how a batch ends", expected=(True, True, frozenset()), found=ended)
    return batches * TRANSFERS_MAX / (time.perf_counter() - began)
