from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from adapters.evm.devnet import chain, rules
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.chain import UnknownFork, WrongChain
from adapters.evm.devnet.devnet import Devnet
from adapters.evm.devnet.settings import DevnetSettings
from adapters.evm.devnet.store import DatabaseInUse, SqliteStore
from tests.adapters.evm.devnet.conftest import FULL, Rpc, RpcRefused, Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
RECIPIENT = "0x" + "33" * 20
SERVE = """
import asyncio, sys
from pathlib import Path
from adapters.evm.devnet.server import serve
from adapters.evm.devnet.settings import DevnetSettings

settings = DevnetSettings(database=Path(sys.argv[1]), port=0, block_seconds=0.005)
ready = lambda url: print(url, flush=True)
asyncio.run(serve(settings, stop=asyncio.Event(), on_ready=ready))
"""


@attrs.define
class ServerProcess:
    """A node in a process of its own, to be killed."""

    database: Path
    _process: subprocess.Popen[str] | None = None

    def start(self) -> Rpc:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-W", "ignore", "-c", SERVE, str(self.database)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return Rpc(self._process.stdout.readline().strip())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            assert self._process.wait(timeout=10) == -signal.SIGKILL
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "chain.sqlite")
    yield process
    process.kill()


def settings(database: Path, chain_id: int = 31_337) -> DevnetSettings:
    return DevnetSettings(database=database, port=0, block_seconds=0, chain_id=chain_id)


class TestKill:
    def test_while_mining_and_sending_loses_nothing_that_was_answered(
        self, server: ServerProcess
    ) -> None:
        receipts: dict[str, object] = {}
        blocks: dict[str, object] = {}
        sent = 0
        for _ in range(3):
            rpc = server.start()
            wallet = Wallet(rpc, devnet_accounts()[0])
            for number, block in blocks.items():
                assert rpc("eth_getBlockByNumber", number, FULL) == block
            for transaction_hash, receipt in receipts.items():
                assert rpc("eth_getTransactionReceipt", transaction_hash) == receipt
            assert rpc.number("eth_getBalance", RECIPIENT) == sent
            assert rpc.number("eth_getTransactionCount", wallet.address) == sent

            for _ in range(15):
                transaction_hash = wallet.send(to=RECIPIENT, value=1)
                sent += 1
                receipt = rpc("eth_getTransactionReceipt", transaction_hash)
                receipts[transaction_hash] = receipt
                for number in (receipt["blockNumber"], rpc("eth_blockNumber")):
                    blocks[number] = rpc("eth_getBlockByNumber", number, FULL)
            server.kill()
            rpc.close()

        assert len(receipts) == sent == 45


class TestDatabase:
    def test_keeps_pool_and_clock(self, tmp_path: Path) -> None:
        devnet = Devnet(settings(tmp_path / "chain.sqlite"))
        with devnet:
            rpc = Rpc(devnet.url)
            waiting = Wallet(rpc, devnet_accounts()[0]).send(nonce=1)
            rpc("evm_increaseTime", 5_000)
            rpc.close()

        with devnet:
            rpc = Rpc(devnet.url)
            assert rpc("eth_getTransactionByHash", waiting)["blockHash"] is None
            assert rpc("evm_increaseTime", 0) == 5_000
            rpc.close()

    def test_is_open_in_one_node_only(self, tmp_path: Path) -> None:
        database = tmp_path / "chain.sqlite"
        with Devnet(settings(database)), pytest.raises(DatabaseInUse) as refused:
            Devnet(settings(database)).start()

        assert refused.value.path == database

    def test_remembers_its_chain_id(self, tmp_path: Path) -> None:
        database = tmp_path / "chain.sqlite"
        with Devnet(settings(database, chain_id=1_337)) as devnet:
            rpc = Rpc(devnet.url)
            assert (rpc("eth_chainId"), rpc("net_version")) == ("0x539", "1337")
            assert Wallet(rpc, devnet_accounts()[0], chain_id=1_337).send()
            rpc.close()

        with pytest.raises(WrongChain) as refused:
            Devnet(settings(database)).start()
        assert (refused.value.stored, refused.value.wanted) == (1_337, 31_337)


class TestStore:
    def test_shows_what_is_staged_but_keeps_only_what_is_committed(self, tmp_path: Path) -> None:
        path = tmp_path / "store.sqlite"
        store = SqliteStore(path)
        store[b"kept"] = b"1"
        store[b"gone"] = b"2"
        store.commit()
        del store[b"gone"]
        store[b"changed"] = b"3"
        assert (b"gone" in store, store[b"changed"]) == (False, b"3")
        store.rollback()
        assert (store[b"gone"], b"changed" in store) == (b"2", False)
        store[b"kept"] = b"4"
        store.close()

        reopened = SqliteStore(path)
        assert reopened[b"kept"] == b"1"
        with pytest.raises(KeyError):
            reopened[b"changed"]
        reopened.close()

    def test_reads_again_what_was_overwritten_after_a_read(self) -> None:
        store = SqliteStore(None)
        for value in (b"1", b"", b"2"):
            store[b"key"] = value
            store.commit()
            assert store[b"key"] == value
            assert store[b"key"] == value
        store.close()


class TestForks:
    def test_a_chain_from_before_prague_keeps_its_rules(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = tmp_path / "chain.sqlite"
        with monkeypatch.context() as before:
            before.setattr(chain, "NEWEST", "cancun")
            with Devnet(settings(database)) as devnet:
                rpc = Rpc(devnet.url)
                sent = Wallet(rpc, devnet_accounts()[0]).send()
                rpc.close()
        forget_fork(database)

        with Devnet(settings(database)) as devnet:
            rpc = Rpc(devnet.url)
            wallet = Wallet(rpc, devnet_accounts()[0])
            assert rpc("eth_getTransactionReceipt", sent)["status"] == "0x1"
            assert rpc("eth_getTransactionReceipt", wallet.send())["status"] == "0x1"
            with pytest.raises(RpcRefused, match="transaction type not supported"):
                wallet.submit(delegating(wallet))
            rpc.close()

    def test_a_chain_of_today_takes_authorizations(self, tmp_path: Path) -> None:
        database = tmp_path / "chain.sqlite"
        with Devnet(settings(database)) as devnet:
            rpc = Rpc(devnet.url)
            sent = Wallet(rpc, devnet_accounts()[0]).submit(
                delegating(Wallet(rpc, devnet_accounts()[0]))
            )
            rpc.close()

        with Devnet(settings(database)) as devnet:
            rpc = Rpc(devnet.url)
            shown = rpc("eth_getTransactionByHash", sent)
            assert shown["type"] == "0x4"
            [carried] = shown["authorizationList"]
            assert (carried["address"], carried["nonce"], carried["chainId"]) == (
                to_checksum_address(RECIPIENT),
                "0x0",
                "0x7a69",
            )
            code = rpc("eth_getCode", devnet_accounts()[1].address, "latest")
            assert code == "0xef0100" + RECIPIENT[2:]
            rpc.close()

    def test_a_chain_of_tomorrow_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = tmp_path / "chain.sqlite"
        with monkeypatch.context() as later:
            later.setattr(chain, "NEWEST", "osaka")
            later.setitem(rules.FORKS, "osaka", rules.FORKS["prague"])
            with Devnet(settings(database)):
                pass
            later.delitem(rules.FORKS, "osaka")

            with pytest.raises(UnknownFork) as refused:
                Devnet(settings(database)).start()
        assert refused.value.fork == "osaka"


def forget_fork(database: Path) -> None:
    """Make a file such as older nodes have left."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM entry WHERE key = ?", (b"devnet:fork",))


def delegating(wallet: Wallet) -> bytes:
    """Return a transaction by which another account delegates."""
    other = Account.from_key(devnet_accounts()[1].private_key)
    authorization = other.sign_authorization(
        {"chainId": 31_337, "address": to_checksum_address(RECIPIENT), "nonce": 0}
    )
    return wallet.sign(gas=100_000, authorizationList=[authorization])
