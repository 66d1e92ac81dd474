"""The money of a chain that may lack evidence, as it is stored: see `domain.chains.finality`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.finality import paid_to_us
from domain.chains.model import EscrowPaid, Finality, Transfer
from domain.customers.reach import reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.finality import Ladder, Paid, Proven
    from domain.chains.model import Cursor
    from domain.chains.places import Places
    from ports.unit_of_work import UnitOfWork

COUNTED = (Finality.SEEN, Finality.SAFE, Finality.FINAL)


async def at_risk(
    work: UnitOfWork, cursor: Cursor, *, places: Places, ladder: Ladder, proven: Proven
) -> Sequence[Paid]:
    """Return what was paid to us in blocks that may lack some rung's evidence, lowest first."""
    newest = cursor.seen.number
    first = ladder.first_counted(newest, proven)
    seen = await work.chains.observed(places.chain, finality=COUNTED, first=first, last=newest)
    counted = [
        observation
        for observation in seen
        if isinstance(observation.fact, Transfer | EscrowPaid)
        and observation.fact.money.asset in ladder.assets
    ]
    own = {places.hot_wallet, places.escrow_contract or "", places.cold_wallet or ""}
    into_hot = {
        observation.fact.source
        for observation in counted
        if isinstance(observation.fact, Transfer) and observation.fact.target == places.hot_wallet
    }
    if into_hot:
        sources = sorted(into_hot)
        own.update(await work.intents.owners_of(chain=places.chain, addresses=sources))
        reach = reach_of(places.chain, places.mode)
        own.update(await work.customers.at(sources, reach=reach))
    return paid_to_us(counted, escrow=places.escrow_contract, own=own)
