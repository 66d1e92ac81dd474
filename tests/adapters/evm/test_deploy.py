from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.evm.abi import selector
from adapters.evm.deploy import MINT_CALLS_MAX, MINT_MAX, Deployer
from adapters.evm.web3_account import TransactionReverted
from ports.chain import ChainUnavailable, InstructionRefused
from tests.adapters.evm.local_chain import (
    ARBITER,
    DEPLOYER,
    OPERATOR,
    STRANGER,
    TREASURY,
    address,
    key,
)

if TYPE_CHECKING:
    from tests.adapters.evm.local_chain import LocalChain


@pytest.mark.parametrize(
    ("view", "place"), [("owner()", DEPLOYER), ("arbiter()", ARBITER), ("treasury()", TREASURY)]
)
async def test_appoints_who_acts_in_the_escrow_contract(
    chain: LocalChain, view: str, place: int
) -> None:
    request = {"to": chain.escrow, "data": "0x" + selector(view).hex()}

    answer = await chain.control("eth_call", request, "latest")

    assert "0x" + answer[-40:] == address(place)


async def test_names_the_block_of_a_contract(chain: LocalChain) -> None:
    async with Deployer(chain.url, key(DEPLOYER)) as deployer:
        token = await deployer.deploy_token()

    assert token.block == await chain.number()
    assert token.address == token.address.lower()


async def test_mints_more_than_one_call_can(chain: LocalChain) -> None:
    async with Deployer(chain.url, key(DEPLOYER)) as deployer:
        await deployer.mint(chain.token, holders={address(STRANGER): 2 * MINT_MAX + 1})

    stranger = await chain.wallet(STRANGER)
    assert await stranger.balance(token=chain.token) == 2 * MINT_MAX + 1


async def test_does_not_mint_without_bounds(chain: LocalChain) -> None:
    async with Deployer(chain.url, key(DEPLOYER)) as deployer:
        with pytest.raises(ValueError, match="more than a demo needs"):
            await deployer.mint(chain.token, holders={address(STRANGER): 10**30})
    assert MINT_CALLS_MAX * MINT_MAX < 10**30


async def test_names_the_contract_s_refusal(chain: LocalChain) -> None:
    async with Deployer(chain.url, key(DEPLOYER)) as deployer:
        with pytest.raises(InstructionRefused, match="InvalidRole"):
            await deployer.deploy_escrow(
                operator=address(OPERATOR), arbiter=address(DEPLOYER), treasury=address(TREASURY)
            )


async def test_a_node_that_is_down_is_unavailable() -> None:
    async with Deployer("http://127.0.0.1:9", key(DEPLOYER)) as deployer:
        with pytest.raises(ChainUnavailable):
            await deployer.deploy_token()


async def test_reports_a_transaction_without_effect(chain: LocalChain) -> None:
    async with Deployer(chain.url, key(DEPLOYER)) as deployer:
        target = deployer.web3.to_checksum_address(chain.escrow)
        renounce = selector("renounceOwnership()")
        with pytest.raises(TransactionReverted):
            await deployer.send({"to": target, "data": renounce, "gas": 100_000})


async def test_never_shows_its_key() -> None:
    async with Deployer("http://127.0.0.1:9", key(OPERATOR)) as deployer:
        assert repr(deployer) == f"Deployer({address(OPERATOR)})"
