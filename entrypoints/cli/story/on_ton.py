"""The chapter on TON: a wallet that all payers share, memos, and an address of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.demo.ton import ton_payer
from entrypoints.cli.story.cast import DUE, NET, of_intent

if TYPE_CHECKING:
    from config.demo.record import TonDemo
    from entrypoints.cli.story.cast import Story

DEPOSITS, HOT, SUSPENSE = "custody:ton:deposits", "custody:ton:hot", "suspense:ton"


async def payer_on_ton(story: Story) -> None:
    """With a memo, then without one at an address of the intent's own; swept, and paid out."""
    story.timeline.chapter("A payer comes by another chain: TON")
    world = story.world
    if world.without_ton is not None:
        story.timeline.step("no TON chain runs on this machine", why=world.without_ton)
    elif world.demo.ton is None:
        story.timeline.step("this demo began without a TON chain")
    else:
        await _by_memo(story, world.demo.ton)
        await _by_address(story, world.demo.ton)


async def _by_memo(story: Story, ton: TonDemo) -> None:
    timeline, merchant = story.timeline, story.merchant
    intent = await story.create("memo", asset=ton.jetton)
    pay_to = intent["pay_to"]
    timeline.step("intent with a memo", memo=pay_to["memo"])
    async with ton_payer(ton, story.world.directory.ton, 0) as payer:
        sent = await payer.pay(
            asset=ton.jetton, to=pay_to["address"], amount=DUE, memo=pay_to["memo"]
        )
        timeline.step("payer's wallet sends test USDT", transaction=sent)
        done = await merchant.event("payment_intent.succeeded", when=of_intent(intent))
        timeline.check("complete", expected="none", got=done["exception"])
        timeline.check("in the hot wallet", expected=DUE, got=await story.booked(HOT, ton.jetton))
        timeline.step("found by its memo, final at once", status=done["status"])
        before = await payer.held_by(ton.merchant_wallet)
        await story.settled()
        after = await payer.held_by(ton.merchant_wallet)
    timeline.check("merchant's wallet", expected=NET, got=after - before)
    timeline.step("merchant's wallet on TON has it", received="24.375000 tUSDT")


async def _by_address(story: Story, ton: TonDemo) -> None:
    timeline, merchant = story.timeline, story.merchant
    intent = await story.create("address", asset=ton.jetton)
    async with ton_payer(ton, story.world.directory.ton, 1) as payer:
        sent = await payer.pay(
            asset=ton.jetton, to=intent["pay_to"]["address"], amount=DUE, memo=None
        )
    timeline.step("payer's wallet pays the intent's own address", transaction=sent)
    await merchant.event("payment_intent.succeeded", when=of_intent(intent))
    await story.swept(DEPOSITS, ton.jetton)
    timeline.check("nobody's money", expected=0, got=await story.booked(SUSPENSE, ton.jetton))
    timeline.step("swept: the wallet was given gas and deployed", amount="25.000000 tUSDT")
    await story.settled()
