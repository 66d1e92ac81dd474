"""The devnet's process is killed while it is busy; what clients have seen stays so."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from pytoniq import LiteClient, LiteClientError, RunGetMethodError
from pytoniq_core import BlockIdExt
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message

from adapters.ton.addresses import TonAddress
from adapters.ton.deposit_wallet import Sweep
from adapters.ton.devnet.blocks import WHOLE_SHARD
from adapters.ton.devnet.purse import DEVNET_COINS, DEVNET_SEED, devnet_wallets
from adapters.ton.internal import coin_transfer
from tests.adapters.ton.devnet.box import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[4]
KILLS = 3
TRANSACTIONS_MAX = 400
FEES_MAX = 10**9
RENT_MAX = 10**6
PAYEE = TonAddress(0, b"\x77" * 32)
AMOUNT = 10**9
SERVE = """
import asyncio, signal, sys
from pathlib import Path
from config.ton_devnet import run

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(
        database=Path(sys.argv[1]), port=int(sys.argv[2]), block_seconds=0.03,
        config_file=Path(sys.argv[3]), stop=stop, on_ready=print, idle_seconds=0.3,
    )

asyncio.run(main())
"""


@attrs.define
class Witness:
    """A payer and what he has seen of the chain."""

    blocks: dict[int, BlockIdExt] = attrs.field(factory=dict)
    balances: dict[int, int] = attrs.field(factory=dict)
    history: list[bytes] = attrs.field(factory=list)
    sent: int = 0
    """How many messages were accepted."""

    async def watch(self, client: LiteClient) -> None:
        while True:
            head = BlockIdExt.from_dict((await client.get_masterchain_info())["last"])
            account, _ = await client.raw_get_account_state(PAYEE.raw, head)
            self.history = await history_of(client, head)
            self.blocks[head.seqno] = head
            self.balances[head.seqno] = account.storage.balance.grams if account else 0

    async def pay(self, client: LiteClient) -> None:
        """Send one message after the other, each as soon as the one before is executed."""
        wallet = devnet_wallets().at(0)
        _, secret = crypto_sign_seed_keypair(DEVNET_SEED)
        while True:
            seqno = await seqno_of(client)
            if seqno < self.sent:
                await asyncio.sleep(0.005)
                continue
            message = coin_transfer(destination=PAYEE, amount=AMOUNT, bounce=False)
            sweep = Sweep(message=message, seqno=seqno, valid_until=2**31)
            signed = wallet.message(sweep, sign=lambda hash_: sign_message(hash_, secret))
            await client.raw_send_message(signed.to_boc())
            self.sent = seqno + 1

    async def finds_it_all_again(self, client: LiteClient) -> None:
        for seqno, block in list(self.blocks.items())[-12:]:
            found, _ = await client.lookup_block(-1, WHOLE_SHARD, seqno)
            assert found == block
            account, _ = await client.raw_get_account_state(PAYEE.raw, block)
            assert (account.storage.balance.grams if account else 0) == self.balances[seqno]
        told = await history_of(client, client.last_mc_block)
        assert told[: len(self.history)] == self.history


async def history_of(client: LiteClient, head: BlockIdExt) -> list[bytes]:
    """Return the hashes of the payee's transactions up to a block, oldest first."""
    _, placed = await client.raw_get_account_state(PAYEE.raw, head)
    if placed is None:
        return []
    last = placed.last_trans_lt, placed.last_trans_hash
    told = await client.get_transactions(PAYEE.raw, TRANSACTIONS_MAX, *last)
    assert len(told) < TRANSACTIONS_MAX
    return [each.cell.hash for each in told][::-1]


async def seqno_of(client: LiteClient) -> int:
    try:
        seqno: int = (await client.run_get_method(devnet_wallets().derive(0), "seqno", []))[0]
    except RunGetMethodError:
        return 0
    return seqno


@asynccontextmanager
async def served(
    directory: Path, port: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, LiteClient]]:
    config_file = directory / "global.json"
    config_file.unlink(missing_ok=True)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(directory / "chain"), str(port), str(config_file),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not config_file.exists():
                assert child.returncode is None
                await asyncio.sleep(0.01)
        config: dict[str, Any] = json.loads(config_file.read_text())
        client = LiteClient.from_config(config, 0, trust_level=1, timeout=5)
        await client.connect()
        try:
            yield child, client
        finally:
            await client.close()
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_what_was_seen_and_accepted_survives_kills(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    witness, chance, keys = Witness(), random.Random(7), set()  # noqa: S311 - when to kill is no secret
    for _ in range(KILLS):
        async with served(tmp_path, port) as (child, client):
            keys.add(client.server.ed25519_public.encode())
            await witness.finds_it_all_again(client)
            work = asyncio.gather(witness.watch(client), witness.pay(client))
            await asyncio.sleep(chance.uniform(0.2, 0.6))
            os.kill(child.pid, signal.SIGKILL)
            await child.wait()
            work.cancel()
            with suppress(asyncio.CancelledError, LiteClientError, OSError, EOFError):
                await work
    async with served(tmp_path, port) as (child, client):
        await witness.finds_it_all_again(client)

        async def all_arrived() -> bool:
            balance: int = (await client.get_account_state(PAYEE.raw)).balance
            return balance >= witness.sent * AMOUNT - RENT_MAX

        await until(all_arrived)
        assert witness.sent > KILLS
        assert await seqno_of(client) >= witness.sent
        purse = await client.get_account_state(devnet_wallets().derive(0))
        assert (
            0 < DEVNET_COINS - purse.balance - witness.sent * AMOUNT < (witness.sent + 2) * AMOUNT
        )
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    assert len(keys) == 1
    assert not (tmp_path / "chain-wal").exists()
