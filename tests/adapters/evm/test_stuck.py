"""The whole way on a chain: signed for too little, stuck, replaced or taken back, and ended."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.devnet.devnet import Devnet
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import FeeLimits
from domain.chains.canceling import Canceling
from domain.chains.instructions import ReleaseEscrow
from domain.chains.places import Places
from domain.chains.submissions import Submission, SubmissionState
from domain.shared.ids import SubmissionId
from tests.adapters.evm.local_chain import CHAIN, NATIVE, OPERATOR, TREASURY, LocalChain, address
from tests.adapters.evm.relay import Relay
from tests.domain.scene import ASSETS
from tests.domain.services import Services, Surroundings, compose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


WAIT = 3
LIMITS = FeeLimits(stuck_after_blocks=WAIT, min_tip_wei=1)


@pytest.fixture(scope="module")
def node_url() -> Iterator[str]:
    """The devnet alone: anvil does not take what offers less than the base fee."""
    with Devnet() as devnet:
        yield devnet.url


@attrs.frozen
class Gateway:
    """A gateway's sender and watcher on a chain, through the relay."""

    chain: LocalChain
    relay: Relay
    around: Surroundings
    services: Services
    places: Places

    async def queue(self) -> SubmissionId:
        """Queue the release of an escrow that holds money."""
        await self.chain.funded()
        terms = await self.chain.terms()
        await self.chain.pay(terms)
        submission = Submission(
            id=SubmissionId("sub_01"),
            chain=CHAIN,
            instruction=ReleaseEscrow(terms),
            purpose="esc_01",
            created_at=self.around.clock.now(),
        )
        async with self.services.begin() as work:
            await work.chains.add_submission(submission)
            await work.commit()
        return submission.id

    async def send(self) -> None:
        await self.services.sender.send(chain=CHAIN)

    async def mine(self, blocks: int = 1) -> None:
        await self.chain.mine(blocks)
        await self.services.watcher.watch(chain=CHAIN)

    async def submission(self) -> Submission:
        async with self.services.begin() as work:
            return await work.chains.lock_submission(SubmissionId("sub_01"))

    def offer(self, *, wei: int) -> None:
        """Have nodes say that the network asks for no more than this."""
        result = {"baseFeePerGas": [hex(wei)], "reward": [[hex(wei)] * 3]}
        self.relay.spoil("eth_feeHistory", lambda _, response: {**response, "result": result})

    async def stuck(self) -> None:
        """Sign for far too little, and let so many blocks pass that somebody looks at it."""
        await self.queue()
        await self.mine()
        self.offer(wei=1)
        await self.send()
        self.relay.heal()
        await self.mine(WAIT)
        assert (await self.submission()).state is SubmissionState.BROADCAST


@pytest.fixture
async def gateway(chain: LocalChain, relay: Relay) -> AsyncIterator[Gateway]:
    settings = chain.settings(rpc_url=relay.url, fees=LIMITS, confirmations=1)
    async with AsyncExitStack() as closing:
        node = await closing.enter_async_context(EvmNode(settings))
        places = Places(
            chain=CHAIN,
            native=NATIVE,
            escrow_contract=chain.escrow,
            hot_wallet=address(OPERATOR),
            treasury=address(TREASURY),
            first_block=await chain.number(),
        )
        around = Surroundings()
        services = compose(
            around,
            reader=EvmChainReader(node),
            sender=EvmChainSender(node, chain.signer()),
            places=places,
        )
        yield Gateway(chain, relay, around, services, places)


async def test_what_offers_too_little_is_replaced_and_lands(gateway: Gateway) -> None:
    await gateway.stuck()

    await gateway.send()
    sent = await gateway.submission()
    assert len(sent.attempts) == 2
    await gateway.mine()
    await gateway.mine(2)

    assert (await gateway.submission()).state is SubmissionState.CONFIRMED
    [first, second] = sent.hashes
    assert await gateway.chain.control("eth_getTransactionReceipt", first) is None
    receipt = await gateway.chain.control("eth_getTransactionReceipt", second)
    assert receipt["status"] == "0x1"


async def test_what_is_taken_back_never_happens(gateway: Gateway) -> None:
    await gateway.stuck()
    around = gateway.around
    canceling = Canceling(
        around.store.begin, around.clock, around.ids, ASSETS, {CHAIN: gateway.places}
    )
    await canceling.cancel(submission_id=SubmissionId("sub_01"))

    await gateway.send()
    sent = await gateway.submission()
    assert [it.cancels for it in sent.attempts] == [False, True]
    await gateway.mine()
    await gateway.mine(2)

    assert (await gateway.submission()).state is SubmissionState.CANCELED
    nonce = await gateway.chain.control("eth_getTransactionCount", address(OPERATOR), "latest")
    assert int(nonce, 16) == sent.attempts[0].sequence + 1
    assert await gateway.chain.control("eth_getTransactionReceipt", sent.hashes[0]) is None
