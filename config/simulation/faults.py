"""How faults are carried out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.configured import CHAIN
from config.simulation.fleet import WORKERS, QueueFault
from config.simulation.messages import landed
from config.simulation.network import Fault
from config.simulation.people import server
from config.simulation.rails import TON
from config.simulation.servers import Illness
from config.simulation.turns import Park

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.memory.blocks import PendingTransaction
    from config.simulation.fleet import Fleet
    from config.simulation.rails import Rail
    from config.simulation.scenario import Act
    from config.simulation.telegram import Telegram
    from config.simulation.trace import Trace
    from config.simulation.world import World


DEEPEST = 30
"""How many blocks below the final one a reorganization reaches at most."""
LOOKS, BETWEEN_LOOKS = 100, timedelta(minutes=3)
"""How often, and after which time, it is looked whether there is what a fault is about."""


class Faults:
    """Breaks things as acts say, and mends them all in the end."""

    def __init__(self, world: World, fleet: Fleet, trace: Trace) -> None:
        self._world = world
        self._fleet = fleet
        self._trace = trace
        self._stopped = False

    async def play(self, act: Act) -> None:
        """Carry out an act."""
        detail = " ".join(f"{name}={value}" for name, value in act.detail.items())
        self._trace.note("fault", f"#{act.number} {act.verb}", detail)
        self._trace.counts["faults"] += 1
        waits = getattr(self, f"_{act.verb}")(act)
        if waits is not None:
            await waits

    def stop(self) -> None:
        """Let nothing go wrong any more."""
        self._stopped = True
        for rail in self._world.rails.values():
            rail.network.heal()
            rail.full_until = None
            rail.chain.state.rejecting.clear()
            rail.chain.ease()
        if self._world.telegram is not None:
            self._world.telegram.heal()
        self._world.servers.heal()
        self._world.storage.ordered.clear()
        self._fleet.queue_faults.clear()
        self._fleet.shuffles = False
        for gateway in self._fleet.alive.values():
            gateway.process.dies_in = gateway.process.frozen_until = None
        for source in self._world.rates:
            source.fail_next(0)

    async def _when(self, holds: Callable[[], bool]) -> bool:
        """Wait some hours for a time at which a fault means something; tell whether it came."""
        for _ in range(LOOKS):
            if self._stopped or holds():
                break
            await Park(until=self._world.clock.now() + BETWEEN_LOOKS)
        return not self._stopped and holds()

    # crash

    def _crash(self, act: Act) -> None:
        gateway = self._fleet.alive.get(str(act.detail["process"]))
        if gateway is not None:
            gateway.process.dies_in = int(act.detail["steps"])

    def _freeze(self, act: Act) -> None:
        gateway = self._fleet.alive.get(str(act.detail["process"]))
        if gateway is not None:
            length = timedelta(seconds=int(act.detail["seconds"]))
            gateway.process.frozen_until = self._world.clock.now() + length

    def _outage(self, act: Act) -> None:
        """Have all workers die, and none come back for a while."""
        until = self._world.clock.now() + timedelta(minutes=int(act.detail["minutes"]))
        self._fleet.no_workers_until = until
        for name in WORKERS:
            gateway = self._fleet.alive.get(name)
            if gateway is not None:
                gateway.process.die()

    # rpc

    def _nodes(self, act: Act) -> None:
        self._rail(act).network.faults.append(
            Fault(
                kind=str(act.detail["kind"]),
                until=self._world.clock.now() + timedelta(minutes=int(act.detail["minutes"])),
                share=int(act.detail["share"]),
                blocks=int(act.detail.get("blocks", 0)),
            )
        )

    def _lose_answers(self, act: Act) -> None:
        self._rail(act).network.lost_answers += int(act.detail["times"])

    def _drop_waiting(self, act: Act) -> None:
        """Have the nodes forget what of ours waits for a block."""
        rail = self._rail(act)
        blocks, hot = rail.chain.blocks, rail.places.hot_wallet
        blocks.pool = [it for it in blocks.pool if it.sender != hot]

    def _full_blocks(self, act: Act) -> None:
        """Have no block of the second chain take anything of ours in for a while."""
        minutes = timedelta(minutes=int(act.detail["minutes"]))
        self._world.rails[TON].full_until = self._world.clock.now() + minutes

    def _rail(self, act: Act) -> Rail:
        return self._world.rails[TON if act.detail.get("rail") == "ton" else CHAIN]

    def _fail_rates(self, act: Act) -> None:
        for source in self._world.rates:
            source.fail_next(int(act.detail["calls"]))

    # reorg

    def _reorg(self, act: Act) -> None:
        chain, depth = self._world.chain, int(act.detail["depth"])
        fork = tuple(chain.blocks.mined)
        newest = [
            it for at in fork[-depth:] for it in at.transactions if it.sender != chain.sender
        ]
        drop = {it.hash for it in newest[: int(act.detail["drop"])]}
        try:
            chain.reorg(depth=depth, drop=drop)
        except ValueError:
            return  # It would go through what is final.
        self._trace.counts["reorgs"] += 1
        self._trace.counts["blocks"] += depth + 1
        if "stale_minutes" in act.detail:
            until = self._world.clock.now() + timedelta(minutes=int(act.detail["stale_minutes"]))
            self._world.network.faults.append(
                Fault(kind="forked", until=until, share=int(act.detail["share"]), fork=fork)
            )

    async def _deep_reorg(self, act: Act) -> None:
        """Replace blocks that the chain calls final, when such wait for a large amount."""
        await self._when(lambda: self._waiting() is not None)
        held, blocks = self._waiting(), self._world.chain.blocks
        if held is None:
            return
        others = [it.hash for it in blocks.mined[held].transactions if it.sender is None]
        depth = blocks.latest - held + 1
        self._trace.counts["deep reorgs"] += 1
        self._trace.counts["blocks"] += depth + 1
        dropped = others[: int(act.detail["drop"])]
        self._world.chain.reorg(depth=depth, drop=dropped, through_final=True)

    def _waiting(self) -> int | None:
        """Return the lowest block that waits for a large amount, though the chain has done so."""
        rail = self._world.rails[CHAIN]
        held = self._world.evidence.held_from(rail.chain.blocks.mined[-1].block)
        deep = held is not None and rail.final - DEEPEST < held <= rail.final
        return held if deep and not self._stopped else None

    # fees

    async def _stick(self, _: Act) -> None:
        """Have the network ask for more than what waits offers, when something does."""
        blocks = self._world.chain.blocks
        if await self._when(
            lambda: any(it.sender and it.offer >= blocks.asked for it in blocks.pool)
        ):
            self._world.chain.stick()
            self._trace.counts["sticks"] += 1

    async def _revive(self, _: Act) -> None:
        """Have a block take what was replaced, when something is, in place of the other."""
        if not await self._when(lambda: self._former() is not None):
            return
        former, rail = self._former(), self._world.rails[CHAIN]
        if former is not None:
            place = former.sender, former.sequence
            pool = rail.chain.blocks.pool
            rail.chain.blocks.pool = [it for it in pool if (it.sender, it.sequence) != place]
            rail.chain.blocks.pool.append(former)
            rail.chain.ease()
            rail.mine(now=self._world.clock.now())
            self._trace.counts["revived"] += 1

    def _former(self) -> PendingTransaction | None:
        """Return something of the gateway's own that waited and was replaced."""
        rail = self._world.rails[CHAIN]
        standing = CHAIN, "in flight"
        for submission in self._world.store.tables.submissions.where(standing=standing):
            known = [it.hash for it in submission.earlier if it.hash in rail.waited]
            if known and landed(rail, submission) is None:
                return rail.waited[known[0]]
        return None

    def _ease(self, _: Act) -> None:
        """Have it ask for nothing any more."""
        self._world.chain.ease()

    # telegram

    def _updates(self, act: Act) -> None:
        """Have the next updates be lost, told twice, or told late."""
        fault = str(act.detail["kind"]), int(act.detail["seconds"])
        self._telegram.post_faults += [fault] * int(act.detail["times"])

    def _telegram_down(self, act: Act) -> None:
        minutes = timedelta(minutes=int(act.detail["minutes"]))
        self._telegram.down_until = self._world.clock.now() + minutes

    def _telegram_unheard(self, act: Act) -> None:
        self._telegram.lost_answers += int(act.detail["times"])

    def _refuse_refunds(self, act: Act) -> None:
        """Have Telegram give nothing back for a while."""
        hours = timedelta(hours=int(act.detail["hours"]))
        self._telegram.refuses_until = self._world.clock.now() + hours

    @property
    def _telegram(self) -> Telegram:
        if self._world.telegram is None:
            raise RuntimeError("nobody takes Stars")
        return self._world.telegram

    # queue

    def _queue(self, act: Act) -> None:
        fault = QueueFault(str(act.detail["kind"]), int(act.detail.get("seconds", 0)))
        self._fleet.queue_faults += [fault] * int(act.detail.get("times", 1))

    def _shuffle(self, _: Act) -> None:
        self._fleet.shuffles = not self._fleet.shuffles

    # webhooks

    def _server(self, act: Act) -> None:
        until = self._world.clock.now() + timedelta(minutes=int(act.detail["minutes"]))
        url = server(int(act.detail["merchant"]))
        self._world.servers.fail(url, Illness(str(act.detail["kind"]), until))

    # storage

    def _storage(self, act: Act) -> None:
        self._world.storage.ordered += [str(act.detail["kind"])] * int(act.detail["times"])
