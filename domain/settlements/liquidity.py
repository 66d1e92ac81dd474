"""What the hot wallet can pay: what it holds, less what is promised and what pays for fees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, WORLD, is_reserve
from domain.shared.money import Money

if TYPE_CHECKING:
    from domain.chains.places import Places
    from domain.ledger.accounts import Account
    from domain.shared.money import AssetId
    from ports.unit_of_work import UnitOfWork


async def liquid(work: UnitOfWork, places: Places, asset: AssetId) -> Money:
    """Return what the hot wallet can pay of an asset, less what is promised already.

    Only under the lock of the chain's cursor it stays so until something is promised of it. It is
    less than nothing where more is promised than is there, for as long as a sweep is on its way.
    """
    # Whoever signs moves money from a reserve to what is in flight, and waits for nobody. So
    # reserves are read first: what moves meanwhile is taken off twice, never not at all.
    amount = -await _held(work, places.returning, asset)
    amount -= await _held(work, places.moving, asset)
    for balance in await work.ledger.kept_balances():
        if is_reserve(balance.account) and balance.money.asset == asset:
            amount -= balance.money.amount
    amount += await _held(work, places.pays_from(asset), asset)
    amount -= await _held(work, PAYOUTS_IN_FLIGHT, asset)
    if asset == places.native:
        amount -= max(await put_in_for_fees(work, places), 0)
    return Money(amount, asset)


async def put_in_for_fees(work: UnitOfWork, places: Places) -> int:
    """Return what of the native coin fees are paid from, and is nobody's pay; smallest units.

    It is what was put in, less fees and less what deposit addresses were given for theirs: less
    than nothing where fees were paid from what somebody is owed.
    """
    coin = places.native
    spent = await _held(work, NETWORK_FEES, coin)
    given = await _held(work, places.deposits, coin)
    return -await _held(work, WORLD, coin) - spent - given


async def _held(work: UnitOfWork, account: Account, asset: AssetId) -> int:
    """Return what an account of the platform holds, smallest units."""
    for balance in await work.ledger.balances(prefix=account):
        if balance.account == account and balance.money.asset == asset:
            return balance.money.amount
    return 0
