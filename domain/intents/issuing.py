"""Where an intent is paid: a place, or a mark, that no other intent has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents import memos
from domain.intents.model import DepositAddress, Method, SharedAddress, StarsInvoice
from domain.shared.ids import IntentId
from domain.shared.modes import Mode
from domain.shared.money import AssetId, ChainId, Money
from domain.stars.model import STARS_RAIL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.chains.places import Places
    from domain.intents.model import PayTo
    from ports.deposit_addresses import DepositAddresses
    from ports.ids import Ids
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class AssetNotAccepted(ValueError):
    """The gateway does not take payments in this asset."""

    asset: AssetId


@attrs.frozen
class MethodNotOffered(ValueError):
    """Nobody can pay by this method on the asset's chain."""

    method: Method
    chain: ChainId


@attrs.frozen
class ChainOfOtherMode(ValueError):
    """Test money does not pay a live account, nor live money a test account."""

    chain: ChainId
    mode: Mode
    """The account's."""


@attrs.frozen
class IntentRules:
    """The clocks of an intent, from its creation on."""

    pay_within: timedelta
    auto_release_after: timedelta
    """From the end of the time to pay until the escrow may be released by anybody."""
    refund_window: timedelta
    """From there until the payer may take back alone what is still held."""
    stars: Mode = Mode.TEST
    """Which money Telegram's Stars are: that depends on whose bot takes them."""


@attrs.frozen
class Wish:
    """What is to be paid on a chain, how, and until when."""

    intent_id: IntentId
    due: Money
    method: Method
    fees: FeeSchedule
    pay_by: datetime


async def pay_to(
    work: UnitOfWork,
    wish: Wish,
    chain: ChainId,
    *,
    places: Mapping[ChainId, Places],
    rules: IntentRules,
    addresses: Mapping[ChainId, DepositAddresses],
    ids: Ids,
) -> PayTo:
    """Return where a payer pays what is wished for: on a chain, or in Telegram.

    Raises:
        MethodNotOffered: nobody can pay by this method there.
        AssetNotAccepted: payments in this asset would not be seen there.
    """
    if chain != STARS_RAIL:
        return await _issue(
            work, wish, places=places[chain], rules=rules, addresses=addresses, ids=ids
        )
    if wish.method is not Method.STARS:
        raise MethodNotOffered(wish.method, chain)
    return StarsInvoice(chain, wish.intent_id)


async def _issue(
    work: UnitOfWork,
    wish: Wish,
    *,
    places: Places,
    rules: IntentRules,
    addresses: Mapping[ChainId, DepositAddresses],
    ids: Ids,
) -> PayTo:
    if wish.method not in places.methods:
        raise MethodNotOffered(wish.method, places.chain)
    if wish.method is Method.ESCROW:
        return _terms(wish, places, rules)
    if wish.due.asset == places.native and not places.shows_coins:
        raise AssetNotAccepted(wish.due.asset)  # Coins leave no log by which to be seen.
    if wish.method is Method.MEMO:
        memo = memos.drawn_from(ids.entropy(memos.ENTROPY_BYTES))
        return SharedAddress(places.chain, places.hot_wallet, memo)
    index = await work.intents.next_deposit_index()
    return DepositAddress(places.chain, addresses[places.chain].derive(index), index)


def _terms(wish: Wish, places: Places, rules: IntentRules) -> EscrowTerms:
    if places.escrow_contract is None:
        raise MethodNotOffered(wish.method, places.chain)
    auto_release_at = wish.pay_by + rules.auto_release_after
    return EscrowTerms(
        chain=places.chain,
        contract=places.escrow_contract,
        reference=wish.intent_id,
        merchant=places.hot_wallet,
        money=wish.due,
        fees=wish.fees,
        pay_by=wish.pay_by,
        auto_release_at=auto_release_at,
        refund_until=auto_release_at + rules.refund_window,
    )
