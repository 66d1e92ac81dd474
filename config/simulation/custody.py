"""What must hold of money where it lies: at deposit addresses, and in the shared wallet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.simulation.broken import must
from config.simulation.configured import CHAIN, UNLISTED
from config.simulation.messages import ENDED
from config.simulation.rails import TON, TON_HOT
from domain.chains.model import Transfer
from domain.customers.model import DepositStatus
from domain.intents.model import SharedAddress

if TYPE_CHECKING:
    from config.simulation.rails import Rail
    from config.simulation.world import World


class Custody:
    """Sets what is noted of places against the books, and against the chain."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = world.store.tables

    def at_rest(self) -> None:
        """Look at every place.

        Raises:
            Broken: something does not fit.
        """
        for rail in self._world.rails.values():
            self._holdings_are_in_the_books(rail)
        self._sweeps_go_on()
        if TON in self._world.rails:
            self._nothing_is_lost_in_suspense(self._world.rails[TON])

    def _holdings_are_in_the_books(self, rail: Rail) -> None:
        """See that what is noted of deposit addresses adds up; coins also pay for sweeps."""
        chain = rail.places.chain
        held: Counter[str] = Counter()
        for (on, _, asset), holding in self._tables.holdings.items():
            held[asset] += holding.amount if on == chain else 0
        more = (UNLISTED,) if chain == CHAIN else ()
        for asset in (rail.token, rail.other, *more):
            booked = self._tables.sums.get((rail.places.deposits, asset)) or 0
            must(held[asset] == booked, "holdings are the books", f"{asset} {booked}")

    def _sweeps_go_on(self) -> None:
        """See that no address has two sweeps, and that each waits for something."""
        sweeps = self._tables.sweeps
        sweeping = Counter(it.address for it in sweeps if it.is_open)
        for address, count in sweeping.items():
            must(count == 1, "an address has one open sweep", address)
        for sweep in sweeps:
            if sweep.is_open and sweep.submission_id is not None:
                submission = self._tables.submissions.get(sweep.submission_id)
                under_way = submission is not None and submission.state.value not in ENDED
                must(under_way, "an open sweep is under way", sweep.id)

    def _nothing_is_lost_in_suspense(self, rail: Rail) -> None:
        """See that all that came to the shared wallet is an intent's or waits in suspense.

        Beside it lies what customers have paid and is too little to be credited.
        """
        waits = self._came_to_the_wallet(rail)
        for intent in self._tables.intents:
            if isinstance(intent.pay_to, SharedAddress):
                waits[intent.due.asset] -= intent.captured
        for deposit in self._tables.deposits:
            if deposit.key.chain == TON and deposit.status is DepositStatus.BELOW_MINIMUM:
                waits[deposit.money.asset] += deposit.money.amount
        for asset in (rail.token, rail.other, rail.places.native):
            waiting = -(self._tables.sums.get((rail.places.suspense, asset)) or 0)
            what = f"{asset} {waiting} of {waits[asset]}"
            must(waiting == waits[asset], "nothing is lost in suspense", what)

    def _came_to_the_wallet(self, rail: Rail) -> Counter[str]:
        """Return what others have paid to the shared wallet; sweeps have only moved it there."""
        came: Counter[str] = Counter()
        cursor = self._tables.cursors.get(TON)
        if cursor is None:
            return came
        for mined in rail.chain.blocks.mined[cursor.first : cursor.final.number + 1]:
            for observation in mined.observations:
                fact = observation.fact
                if not isinstance(fact, Transfer) or fact.target != TON_HOT:
                    continue
                if not self._tables.customer_addresses.where(address=fact.source):
                    came[fact.money.asset] += fact.money.amount
        return came
