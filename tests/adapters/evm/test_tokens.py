"""What tokens and forgers put into logs, as a watcher reads them: strangers are left out first."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.deploy import Deployer
from adapters.evm.facts import TRANSFER
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from domain.chains.model import Transfer
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import (
    DEPLOYER,
    MERCHANT,
    PAYER,
    STRANGER,
    LocalChain,
    address,
    key,
)
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

OURS = address(STRANGER)


def word(account: str) -> str:
    return "0x" + account[2:].rjust(64, "0")


@attrs.frozen
class Ledger:
    """A payment of 100 to an address of ours, in a block whose logs can be forged."""

    chain: LocalChain
    relay: Relay
    reader: EvmChainReader

    async def read(self) -> list[Transfer]:
        async def ours(addresses: Collection[str]) -> Collection[str]:
            return {OURS} & set(addresses)

        latest = await self.chain.number()
        scan = await self.reader.scan(first=latest, last=latest, ours=ours)
        return [it.fact for it in scan.observations if isinstance(it.fact, Transfer)]

    def change(self, **changes: Any) -> None:  # noqa: ANN401 - members of a log are of any type
        def changed(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            for log in response["result"]:
                log.update(changes)
            return response

        self.relay.spoil("eth_getLogs", changed)


@pytest.fixture
async def ledger(chain: LocalChain) -> AsyncIterator[Ledger]:
    async with AsyncExitStack() as closing:
        relay = await closing.enter_async_context(Relay(chain.url))
        node = await closing.enter_async_context(EvmNode(chain.settings(rpc_url=relay.url)))
        await node.open()
        wallet = await chain.funded(1_000)
        await wallet.transfer(token=chain.token, target=OURS, amount=100)
        yield Ledger(chain, relay, EvmChainReader(node))


async def test_a_token_without_a_return_value_counts_as_any(ledger: Ledger) -> None:
    """The devnet's token is written as Tether's is."""
    [transfer] = await ledger.read()

    assert (transfer.money.amount, transfer.source) == (100, address(PAYER))


async def test_a_token_of_the_same_name_that_is_not_on_the_list_does_not_exist(
    ledger: Ledger,
) -> None:
    async with Deployer(ledger.chain.url, key(DEPLOYER)) as deployer:
        fake = await deployer.deploy_token()
    wallet = await ledger.chain.wallet()
    await wallet.mint(token=fake.address, amount=100)
    await wallet.transfer(token=fake.address, target=OURS, amount=100)

    assert await ledger.read() == []


async def test_what_is_no_transfer_of_money_is_nothing(ledger: Ledger) -> None:
    forged: dict[str, dict[str, Any]] = {
        "taken back": {"removed": True},
        "a fourth topic, as of an ERC-721": {
            "topics": [TRANSFER, word(address(PAYER)), word(OURS), "0x" + "0" * 64]
        },
        "no recipient": {"topics": [TRANSFER, word(address(PAYER))]},
        "no sender": {"topics": [TRANSFER]},
        "anonymous": {"topics": []},
        "no amount": {"data": "0x"},
        "two amounts": {"data": f"0x{100:064x}{100:064x}"},
        "half an amount": {"data": "0x64"},
        "nothing, to plant a look-alike": {"data": "0x" + "0" * 64},
        "no address": {"topics": [TRANSFER, word(address(PAYER)), "0x" + "1" * 24 + OURS[2:]]},
    }
    for what, changes in forged.items():
        ledger.change(**changes)

        assert await ledger.read() == [], what


async def test_what_makes_no_sense_about_money_of_ours_is_no_answer(ledger: Ledger) -> None:
    garbled: list[dict[str, Any]] = [
        {"transactionHash": "0x12"},
        {"logIndex": "first"},
        {"data": "0x" + "z" * 64},
        {"address": "0x12"},
        {"topics": [TRANSFER, "payer", word(OURS)]},
        {"topics": [TRANSFER, None, word(OURS)]},
        {"topics": [TRANSFER, *["0x" + "0" * 64] * 4]},
        {"blockNumber": "0xzz"},
    ]
    for changes in garbled:
        ledger.change(**changes)

        with pytest.raises(ChainUnavailable):
            await ledger.read()


async def test_names_may_be_written_in_capitals(ledger: Ledger) -> None:
    def capitals(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        for log in response["result"]:
            for member in ("address", "blockHash", "transactionHash", "blockNumber"):
                log[member] = "0x" + log[member][2:].upper()
            log["topics"] = ["0x" + topic[2:].upper() for topic in log["topics"]]
        return response

    ledger.relay.spoil("eth_getLogs", capitals)

    [transfer] = await ledger.read()

    assert transfer.target == OURS


async def test_of_a_token_that_keeps_a_fee_what_arrives_is_what_counts(ledger: Ledger) -> None:
    """Such a token logs the fee to its owner and the rest to the recipient."""

    def with_fee(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        [log] = response["result"]
        rest = {**log, "data": f"0x{99:064x}"}
        fee = {
            **log,
            "data": f"0x{1:064x}",
            "topics": [TRANSFER, word(address(PAYER)), word(address(MERCHANT))],
            "logIndex": hex(int(log["logIndex"], 16) + 1),
        }
        return {**response, "result": [rest, fee]}

    ledger.relay.spoil("eth_getLogs", with_fee)

    [transfer] = await ledger.read()

    assert transfer.money.amount == 99


async def test_the_least_amount_is_shown_as_what_it_is(ledger: Ledger) -> None:
    """Dust is too little to pay an intent, and nobody's to hide."""
    wallet = await ledger.chain.wallet()
    await wallet.transfer(token=ledger.chain.token, target=OURS, amount=1)

    [transfer] = await ledger.read()

    assert transfer.money.amount == 1
