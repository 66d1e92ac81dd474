"""The story: three payers, one merchant, and books that equal the chain at the end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from config.bootstrap import operator
from config.demo.parts import merchant_wallet, payer
from config.settings import structure
from domain.shared.ids import MerchantId
from entrypoints.cli.story.cast import DUE, FEE, NET, PRICE, Story, of_intent
from entrypoints.cli.story.merchant import calling, listening
from entrypoints.cli.story.on_ton import payer_on_ton
from entrypoints.cli.story.timeline import StoryFailed, Timeline

if TYPE_CHECKING:
    from domain.shared.money import ChainId
    from entrypoints.cli.demo import World

DEPOSITS, HOT = "custody:evm:deposits", "custody:evm:hot"
DELIVERY_SECONDS = 30
COMPARE_TRIES = 40


async def tell(world: World, *, as_json: bool) -> int:
    """Tell the whole story; return the exit status."""
    timeline = Timeline(as_json)
    try:
        async with AsyncExitStack() as stack:
            services = operator(structure(world.settings))
            for resource in services.resources:
                await stack.enter_async_context(resource)
            story = Story(
                world=world,
                timeline=timeline,
                merchant=await stack.enter_async_context(
                    calling(world.api_url, world.demo.api_key)
                ),
                sink=await stack.enter_async_context(listening()),
                services=services,
            )
            await _begin(story)
            await _first_payer(story)
            await _second_payer(story)
            await payer_on_ton(story)
            await _third_payer(story)
            await _reckoning(story)
    except StoryFailed as failure:
        timeline.failed(failure)
        return 1
    timeline.ended()
    return 0


async def _begin(story: Story) -> None:
    demo, timeline = story.world.demo, story.timeline
    timeline.chapter("A gateway of its own")
    timeline.step("PostgreSQL, EVM node, API and worker run", node=demo.chain)
    timeline.step("escrow contract and test USDT deployed", escrow=demo.escrow_contract)
    endpoint = await story.services.webhooks.register(
        owner=MerchantId(demo.merchant_id), url=story.sink.url
    )
    story.sink.secret = endpoint.secret
    timeline.step("merchant listens to webhooks", url=story.sink.url)


async def _first_payer(story: Story) -> None:
    """Through escrow, to the payout."""
    timeline, merchant, demo = story.timeline, story.merchant, story.world.demo
    timeline.chapter("The first payer pays into escrow")
    intent = await _intent_from_quote(story)
    path = f"/v1/payment_intents/{intent['id']}"
    calls = (await merchant.call("GET", f"{path}/wallet_calls"))["data"]
    async with payer(demo, 0) as wallet:
        for call in calls:
            transaction = await wallet.call(target=call["target"], data=call["data"])
            timeline.step(f"payer's wallet: {call['purpose']}", transaction=transaction)
    seen = await merchant.event("payment.received", when=of_intent(intent))
    timeline.check("seen, not final", expected="0", got=seen["amount_final"]["amount"])
    timeline.step("watcher has seen it; it can still be taken back", status=seen["status"])
    held = await merchant.event(
        "escrow.held", when=lambda escrow: escrow["payment_intent"] == intent["id"]
    )
    shown = await merchant.call("GET", path)
    timeline.check("intent while held", expected="processing", got=shown["status"])
    timeline.check("final", expected=str(DUE), got=shown["amount_final"]["amount"])
    timeline.check("money held", expected=DUE, got=await story.booked(f"escrow:{held['id']}"))
    timeline.check("not earned yet", expected=0, got=(await story.balance())["available"])
    timeline.step("final: the contract holds it", intent=shown["status"], escrow=held["state"])

    await merchant.call(
        "POST", f"{path}/escrow/release", key=f"release-{intent['id']}", status=202
    )
    timeline.step("merchant asks for the release")
    await merchant.event("escrow.released", when=lambda escrow: escrow["id"] == held["id"])
    done = await merchant.event("payment_intent.succeeded", when=of_intent(intent))
    timeline.check("intent after release", expected="succeeded", got=done["status"])
    timeline.check("fee booked", expected=FEE, got=await story.booked("fees:platform"))
    timeline.check("earned", expected=NET, got=(await story.balance())["available"])
    timeline.step("released on chain; 2.5 % fee booked", net="24.375000", fee="0.625000")
    await _pay_out(story)


async def _intent_from_quote(story: Story) -> dict[str, Any]:
    timeline, merchant, asset = story.timeline, story.merchant, story.world.demo.asset
    quote = await merchant.call(
        "POST", "/v1/quotes", body={"price": PRICE, "asset": asset}, status=201
    )
    timeline.check("due", expected=str(DUE), got=quote["due"]["amount"])
    timeline.step("quote locked", due=quote["due"]["decimal"], rate=quote["rate"])
    body: dict[str, object] = {
        "method": "escrow",
        "quote": quote["id"],
        "description": "Order 1042",
        "metadata": {"order": "1042"},
    }
    intent = await merchant.call(
        "POST", "/v1/payment_intents", body=body, key="order-1042", status=201
    )
    again = await merchant.call(
        "POST", "/v1/payment_intents", body=body, key="order-1042", status=201
    )
    timeline.check("the same key gives the same intent", expected=intent, got=again)
    timeline.step("intent created, once", id=intent["id"], status=intent["status"])
    return intent


async def _pay_out(story: Story) -> None:
    timeline, demo = story.timeline, story.world.demo
    async with merchant_wallet(demo) as wallet:
        before = await wallet.balance(token=demo.token)
        await story.settled()
        after = await wallet.balance(token=demo.token)
    timeline.check("merchant's wallet", expected=NET, got=after - before)
    timeline.step("merchant's wallet has it", received="24.375000 tUSDT")


async def _second_payer(story: Story) -> None:
    """To the intent's own address: too little, then the rest; swept, and paid out."""
    timeline, merchant, demo = story.timeline, story.merchant, story.world.demo
    timeline.chapter("The second payer pays too little, then the rest")
    intent = await story.create("address")
    address = intent["pay_to"]["address"]
    timeline.step("intent with an address of its own", address=address)
    async with payer(demo, 1) as wallet:
        await wallet.transfer(token=demo.token, target=address, amount=10_000_000)
        short = await merchant.event("payment.confirmed", when=of_intent(intent))
        timeline.check("still open", expected="requires_payment", got=short["status"])
        timeline.check("underpaid", expected="underpaid", got=short["exception"])
        timeline.check("rest", expected="15000000", got=short["amount_remaining"]["amount"])
        timeline.check("in suspense", expected=10_000_000, got=await story.booked("suspense:evm"))
        timeline.step("10 of 25 are final", status=short["status"], exception=short["exception"])
        await wallet.transfer(token=demo.token, target=address, amount=15_000_000)
    done = await merchant.event("payment_intent.succeeded", when=of_intent(intent))
    timeline.check("complete", expected="none", got=done["exception"])
    timeline.check("suspense is empty", expected=0, got=await story.booked("suspense:evm"))
    timeline.check("earned", expected=NET, got=(await story.balance())["available"])
    timeline.step("the rest has come; captured, fee booked", status=done["status"])
    await story.swept(DEPOSITS)
    timeline.check("in the hot wallet", expected=DUE, got=await story.booked(HOT))
    timeline.step("swept: the address was given gas, its tokens moved", amount="25.000000 tUSDT")
    await _pay_out(story)


async def _third_payer(story: Story) -> None:
    """Too late: the money waits for the merchant's decision, and is not lost."""
    timeline, merchant, demo = story.timeline, story.merchant, story.world.demo
    timeline.chapter("The third payer comes too late")
    intent = await story.create("address", pay_within_seconds=2)
    await merchant.event("payment_intent.expired", when=of_intent(intent))
    timeline.step("nobody paid in time", status="expired")
    async with payer(demo, 2) as wallet:
        await wallet.transfer(token=demo.token, target=intent["pay_to"]["address"], amount=DUE)
    late = await merchant.event("payment_intent.needs_review", when=of_intent(intent))
    timeline.check("late", expected="late", got=late["exception"])
    timeline.check("in suspense", expected=DUE, got=await story.booked("suspense:evm"))
    timeline.step("late money is money: it waits in suspense", status=late["status"])
    path = f"/v1/payment_intents/{intent['id']}"
    done = await merchant.call("POST", f"{path}/accept", key=f"accept-{intent['id']}")
    timeline.check("accepted", expected="succeeded", got=done["status"])
    timeline.check("suspense is empty", expected=0, got=await story.booked("suspense:evm"))
    timeline.check("earned", expected=NET, got=(await story.balance())["available"])
    timeline.step("merchant accepts it", status=done["status"])
    await story.swept(DEPOSITS)
    timeline.check("in the hot wallet", expected=FEE + DUE, got=await story.booked(HOT))
    timeline.step("swept like any other money", left_at_addresses="0.000000 tUSDT")


async def _reckoning(story: Story) -> None:
    """Every event delivered; books right in themselves, and equal to the chain."""
    timeline, merchant = story.timeline, story.merchant
    timeline.chapter("The reckoning")
    await merchant.pull()
    wanted = {event["id"]: event for event in merchant.events}
    for _ in range(DELIVERY_SECONDS * 10):
        if story.sink.accepted.keys() >= wanted.keys():
            break
        await asyncio.sleep(0.1)
    timeline.check("forged webhooks", expected=0, got=story.sink.forged)
    timeline.check("every event delivered", expected=wanted, got=story.sink.accepted)
    timeline.step("every event delivered, signature verified", events=len(wanted))

    findings = await story.services.books.check()
    timeline.check("findings in the books", expected=[], got=list(findings))
    timeline.step("books are right in themselves")
    for chain in story.services.chains:
        await _compare(story, chain)


async def _compare(story: Story, chain: ChainId) -> None:
    timeline = story.timeline
    for _ in range(COMPARE_TRIES):
        compared = await story.services.books.compare(chain=chain)
        if all(spot.agree for spot in compared):
            break
        await asyncio.sleep(0.25)
    for spot in compared:
        timeline.check(
            f"books equal chain: {spot.account} {spot.asset}",
            expected=spot.chain,
            got=spot.books,
        )
        if spot.chain:
            symbol = story.services.assets.find(spot.asset).symbol
            timeline.step(
                f"books equal chain: {spot.account}",
                amount=f"{spot.books} {symbol}",
                block=f"block {spot.block}",
            )
