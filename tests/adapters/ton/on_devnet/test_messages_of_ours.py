"""Messages of ours that are lost, late, sent twice or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import SweepDeposit
from domain.shared.money import Money
from tests.adapters.ton.on_devnet.gateway import COIN, OWNED, TON, coins, tokens
from tests.contracts.chain import included, newest, send

if TYPE_CHECKING:
    from tests.adapters.ton.on_devnet.gateway import Gateway


async def test_a_message_that_was_lost_is_sent_again_as_it_was(gate: Gateway) -> None:
    gate.devnet.liteservers[0].faults.messages_to_lose = 1
    target = gate.somebody("Ada")
    signed = await send(gate, coins(5, target))
    gate.devnet.mine(blocks=4)
    assert await gate.reader.inclusions([signed.hash]) == []
    await gate.sender.broadcast(signed)
    assert (await included(gate, signed)).succeeded
    await gate.sender.broadcast(signed)
    gate.devnet.mine(blocks=4)
    assert await gate.held(target) == 5


async def test_a_number_is_good_for_one_message(gate: Gateway) -> None:
    one, other = [
        await gate.sender.sign(await gate.sender.prepare(coins(amount, to)), sequence=4)
        for amount, to in ((5, gate.somebody("Ada")), (6, gate.somebody("Bo")))
    ]
    await gate.sender.broadcast(one)
    await included(gate, one)
    await gate.sender.broadcast(other)
    gate.devnet.mine(blocks=4)
    assert await gate.reader.inclusions([other.hash]) == []
    await gate.lapse(other)
    assert await gate.reader.is_absent(other, through=await newest(gate))
    assert not await gate.reader.is_absent(one, through=await newest(gate))
    assert await gate.held(gate.somebody("Bo")) == 0


async def test_nothing_is_absent_at_its_last_moment(gate: Gateway) -> None:
    signed = await gate.sender.sign(
        await gate.sender.prepare(coins(5, gate.somebody("Ada"))), sequence=0
    )
    assert signed.valid_until is not None
    last = int(signed.valid_until.timestamp())
    gate.devnet.advance(seconds=last - gate.devnet.now)
    at_its_end = await newest(gate)
    assert not await gate.reader.is_absent(signed, through=at_its_end)
    await gate.sender.broadcast(signed)
    assert (await included(gate, signed)).succeeded
    gate.devnet.advance(seconds=1)
    assert not await gate.reader.is_absent(signed, through=await newest(gate))
    assert not await gate.another_reader().is_absent(signed, through=await newest(gate))


async def test_what_was_not_taken_in_is_refused_after_its_last_moment(gate: Gateway) -> None:
    signed = await gate.sender.sign(
        await gate.sender.prepare(coins(5, gate.somebody("Ada"))), sequence=0
    )
    await gate.lapse(signed)
    absent = await gate.reader.is_absent(signed, through=await newest(gate))
    await gate.sender.broadcast(signed)
    gate.devnet.mine(blocks=3)
    assert absent
    assert await gate.held(gate.somebody("Ada")) == 0


async def test_nobody_can_tell_of_an_account_that_is_not_there(gate: Gateway) -> None:
    signed = await gate.sender.sign(
        await gate.sender.prepare(coins(5, gate.somebody("Ada"))), sequence=0
    )
    elsewhere = attrs.evolve(signed, sender=gate.deposit(OWNED))
    await gate.lapse(signed)
    assert not await gate.reader.is_absent(elsewhere, through=await newest(gate))


async def test_a_reader_that_begins_anew_finds_what_was_taken_in(gate: Gateway) -> None:
    signed = [
        await send(gate, coins(5, gate.somebody("Ada"))),
        await send(gate, tokens(5, gate.somebody("Bo"))),
        await send(gate, gate.failing()),
    ]
    for each in signed:
        await included(gate, each)
    gate.devnet.mine(blocks=20)
    hashes = [each.hash for each in signed]
    told = await gate.reader.inclusions(hashes)
    assert [each.succeeded for each in told] == [True, True, False]
    assert await gate.another_reader().inclusions(hashes) == told


async def test_a_reader_that_slept_finds_what_was_taken_in_meanwhile(gate: Gateway) -> None:
    assert await gate.reader.inclusions(["00" * 32]) == []
    signed = await send(gate, coins(5, gate.somebody("Ada")))
    gate.devnet.mine(blocks=gate.settings.scan_blocks + 20)
    [told] = await gate.reader.inclusions([signed.hash])
    assert told.succeeded


async def test_a_sweep_is_found_by_a_reader_that_begins_anew(gate: Gateway) -> None:
    address = gate.deposit(2)
    gate.devnet.give(address=address, amount=5 * TON)
    gate.devnet.mine_all()
    signed = await send(gate, SweepDeposit(Money(TON, COIN.id), address, 2))
    told = await included(gate, signed)
    gate.devnet.mine(blocks=5)
    assert await gate.another_reader().inclusions([signed.hash]) == [told]
    gate.devnet.advance(seconds=2 * gate.settings.message_seconds)
    assert not await gate.reader.is_absent(signed, through=await newest(gate))
