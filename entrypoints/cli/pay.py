"""``switchyard pay``: what a buyer's wallet does, for trying out a demo that runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from entrypoints.cli.story.merchant import calling
from entrypoints.cli.story.timeline import StoryFailed

if TYPE_CHECKING:
    from config.demo.record import Demo, Directory


@click.command()
@click.argument("intent_id")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The demo's data.")
@click.option("--api", "api_url", default="http://127.0.0.1:8080", show_default=True)
@click.option("--amount", type=click.IntRange(1), help="Smallest units; what is due by default.")
def pay(intent_id: str, *, data: Path | None, api_url: str, amount: int | None) -> None:
    """Pay a payment intent of the demo, as one of the devnet's well-known payers."""
    from config.demo.record import Directory, default_directory

    sys.exit(
        asyncio.run(
            _pay(
                Directory((data or default_directory()).resolve()),
                intent_id=intent_id,
                api_url=api_url,
                amount=amount,
            )
        )
    )


async def _pay(directory: Directory, *, intent_id: str, api_url: str, amount: int | None) -> int:
    from config.demo.parts import payer
    from config.demo.ton import CHAIN as TON

    demo = directory.load()
    if demo is None:
        click.echo(f"{directory.root} holds no demo", err=True)
        return 1
    path = f"/v1/payment_intents/{intent_id}"
    try:
        async with calling(api_url, demo.api_key) as merchant, payer(demo, 0) as wallet:
            intent = await merchant.call("GET", path)
            if intent["pay_to"]["chain"] == TON:
                click.echo(f"transfer: {await _pay_on_ton(directory, demo, intent, amount)}")
                return 0
            calls = (await merchant.call("GET", f"{path}/wallet_calls"))["data"]
            for call in calls:
                sent = await wallet.call(target=call["target"], data=call["data"])
                click.echo(f"{call['purpose']}: {sent}")
            if not calls:
                units = amount or int(intent["amount_remaining"]["amount"])
                target = intent["pay_to"]["address"]
                sent = await wallet.transfer(token=demo.token, target=target, amount=units)
                click.echo(f"transfer: {sent}")
    except StoryFailed as failure:
        click.echo(str(failure), err=True)
        return 1
    return 0


async def _pay_on_ton(
    directory: Directory, demo: Demo, intent: dict[str, Any], amount: int | None
) -> str:
    from config.demo.ton import ton_payer

    if demo.ton is None:
        raise StoryFailed("the demo's part on TON", "to be there", "nothing")
    async with ton_payer(demo.ton, directory.ton, 0) as wallet:
        return await wallet.pay(
            asset=intent["due"]["asset"],
            to=intent["pay_to"]["address"],
            amount=amount or int(intent["amount_remaining"]["amount"]),
            memo=intent["pay_to"]["memo"],
        )
