"""What is kept, over every storage, of money in suspense: what cannot be decided, and top-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import ChainParked
from domain.ledger.accounts import WORLD
from domain.ledger.parking import AssetParked, ParkedAsset
from domain.shared.ids import SuspenseId
from domain.suspense.model import (
    ItemState,
    MalformedSuspenseId,
    NobodyDecides,
    NotATopUp,
    Verdict,
    read_name,
)
from domain.suspense.service import NotFinalYet
from ports.unit_of_work import NotFound
from tests.builders import NOON
from tests.domain.inbox import (
    ADA,
    BACK,
    Decisions,
    decided,
    gift,
    must_be_right,
    only,
)
from tests.domain.scene import DUE
from tests.domain.shared_wallet import CHAIN, COIN, OTHER, TOKEN

if TYPE_CHECKING:
    from domain.chains.model import Finality
    from tests.domain.shared_wallet import SharedWallet


async def finality_of(wallet: SharedWallet, id: SuspenseId) -> Finality | None:
    async with wallet.begin() as work:
        return await work.suspense.finality(read_name(id)[0])


class RefusalsContract(Decisions):
    async def test_a_top_up_becomes_our_own(self, wallet: SharedWallet) -> None:
        item = await gift(wallet, 10**6, asset=COIN.id, memo=None)
        before = await wallet.booked(WORLD, COIN.id)

        ended = await wallet.services.suspense.top_up(item_id=item.id, **ADA)

        assert ended.state is ItemState.BROUGHT_IN
        assert await wallet.booked(WORLD, COIN.id) == before - 10**6
        assert await wallet.suspense(COIN.id) == 0
        assert (await wallet.services.books.book_gas(chain=CHAIN)).amount == 0
        [decision] = await decided(wallet.services, item.id)
        assert decision.verdict is Verdict.TOP_UP
        await must_be_right(wallet)

    async def test_what_was_paid_to_an_intent_is_no_top_up(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        wallet.pay(intent, 70, asset=OTHER.id)
        await wallet.settle_down()

        with pytest.raises(NotATopUp):
            await wallet.services.suspense.top_up(item_id=(await only(wallet.services)).id, **ADA)

    async def test_what_is_not_final_cannot_be_decided_yet(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)
        hash = wallet.gift(DUE)
        wallet.chain.mine()
        await wallet.watch()
        [seen] = [
            each
            for position in range(100)
            if (each := SuspenseId(f"{CHAIN}/{hash}/{position}"))
            and await finality_of(wallet, each) is not None
        ]
        suspense = wallet.services.suspense

        for refused in (
            suspense.assign(item_id=seen, intent_id=intent.id, **ADA),
            suspense.give_back(item_id=seen, to=BACK, **ADA),
            suspense.top_up(item_id=seen, **ADA),
            suspense.show(item_id=seen),
        ):
            with pytest.raises(NotFinalYet):
                await refused
        wallet.chain.reorg(depth=1, drop=[hash])
        await wallet.watch()
        with pytest.raises(NotFound):
            await suspense.show(item_id=seen)
        assert await only(wallet.services) == item

    async def test_what_is_no_item_is_refused(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)
        top_up = wallet.services.suspense.top_up

        for missing in (f"{item.id}.2", f"eip155:1/{item.key.transaction}/0"):
            with pytest.raises(NotFound):
                await top_up(item_id=SuspenseId(missing), **ADA)
        for malformed in ("", "po_01", f"{CHAIN}/x/-1", f"{CHAIN}/x/1.y", f"{CHAIN}//1"):
            with pytest.raises(MalformedSuspenseId):
                await top_up(item_id=SuspenseId(malformed), **ADA)

    @pytest.mark.parametrize(("by", "note"), [("", "why"), (" ", "why"), ("Ada", "\n")])
    async def test_a_decision_names_who_and_why(
        self, wallet: SharedWallet, by: str, note: str
    ) -> None:
        item = await gift(wallet)

        with pytest.raises(NobodyDecides):
            await wallet.services.suspense.top_up(item_id=item.id, by=by, note=note)
        assert await only(wallet.services) == item

    async def test_a_parked_asset_stays_where_it_is(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)
        async with wallet.begin() as work:
            await work.parking.park(ParkedAsset(TOKEN.id, "books differ", None, NOON))
            await work.commit()
        suspense = wallet.services.suspense

        for refused in (
            suspense.assign(item_id=item.id, intent_id=intent.id, **ADA),
            suspense.give_back(item_id=item.id, to=BACK, **ADA),
            suspense.top_up(item_id=item.id, **ADA),
        ):
            with pytest.raises(AssetParked):
                await refused

    async def test_on_a_parked_chain_nothing_is_decided(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)
        async with wallet.begin() as work:
            cursor = await work.chains.lock_cursor(CHAIN)
            assert cursor is not None
            await work.chains.save_cursor(attrs.evolve(cursor, parked="it broke its word"))
            await work.commit()

        with pytest.raises(ChainParked):
            await wallet.services.suspense.top_up(item_id=item.id, **ADA)
