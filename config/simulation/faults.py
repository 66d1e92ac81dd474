"""How faults are carried out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.configured import CHAIN
from config.simulation.fleet import WORKERS, QueueFault
from config.simulation.network import Fault
from config.simulation.people import server
from config.simulation.rails import TON
from config.simulation.servers import Illness

if TYPE_CHECKING:
    from config.simulation.fleet import Fleet
    from config.simulation.rails import Rail
    from config.simulation.scenario import Act
    from config.simulation.telegram import Telegram
    from config.simulation.trace import Trace
    from config.simulation.world import World


class Faults:
    """Breaks things as acts say, and mends them all in the end."""

    def __init__(self, world: World, fleet: Fleet, trace: Trace) -> None:
        self._world = world
        self._fleet = fleet
        self._trace = trace

    async def play(self, act: Act) -> None:
        """Carry out an act."""
        detail = " ".join(f"{name}={value}" for name, value in act.detail.items())
        self._trace.note("fault", f"#{act.number} {act.verb}", detail)
        self._trace.counts["faults"] += 1
        getattr(self, f"_{act.verb}")(act)

    def stop(self) -> None:
        """Let nothing go wrong any more."""
        for rail in self._world.rails.values():
            rail.network.heal()
            rail.full_until = None
            rail.chain.state.rejecting.clear()
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
