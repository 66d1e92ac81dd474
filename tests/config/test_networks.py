"""What is known of chains, and what settings must not contradict."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from config import bootstrap
from config.networks import networks
from config.settings import WrongSettings, structure

BSC = "eip155:56"
USDT = "0x55d398326f99059fF775485246999027B3197955"


def with_asset(raw: dict[str, Any], **asset: object) -> dict[str, Any]:
    return raw | {"assets": [*raw["assets"], asset]}


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("eip155:1", "Ethereum"),
        (BSC, "BNB Smart Chain"),
        ("eip155:8453", "Base"),
        ("eip155:420420419", "Polkadot Hub"),
        ("eip155:420420418", "Kusama Hub"),
    ],
)
def test_the_chains_that_are_served_are_known(id: str, name: str) -> None:
    assert (networks()[id].name, networks()[id].test) == (name, False)


def test_addresses_carry_their_checksums() -> None:
    for network in networks().values():
        for token in network.tokens:
            assert token.address == to_checksum_address(token.address), network.name
        if network.data_fee_oracle is not None:
            assert network.data_fee_oracle == to_checksum_address(network.data_fee_oracle)


def test_a_symbol_means_one_contract_of_a_chain() -> None:
    for network in networks().values():
        symbols = [token.symbol for token in network.tokens]
        assert len(set(symbols)) == len(symbols)


def test_a_known_token_is_taken_in_either_spelling(raw: dict[str, Any]) -> None:
    for address in (USDT, USDT.lower()):
        id = f"{BSC}/erc20:{address}"
        structure(with_asset(raw, id=id, symbol="USDT", decimals=18))


def test_decimals_that_are_known_to_be_others_are_refused(raw: dict[str, Any]) -> None:
    wrong = with_asset(raw, id=f"{BSC}/erc20:{USDT}", symbol="USDT", decimals=6)

    with pytest.raises(WrongSettings, match="USDT on BNB Smart Chain has 18 decimals, not 6"):
        structure(wrong)


def test_another_contract_under_a_known_symbol_is_refused(raw: dict[str, Any]) -> None:
    fake = with_asset(raw, id=f"{BSC}/erc20:0x{'f' * 40}", symbol="USDT", decimals=18)

    with pytest.raises(WrongSettings, match="another token needs another symbol"):
        structure(fake)


async def test_what_the_settings_do_not_say_is_known(raw: dict[str, Any]) -> None:
    hub, token = "eip155:420420419", "0x000007c000000000000000000000000001200000"
    told = with_asset(raw, id=f"{hub}/erc20:{token}", symbol="USDT", decimals=6)
    told["chains"] = [raw["chains"][0] | {"id": hub}]
    services = bootstrap.container(structure(told))

    [node] = services.adapters.nodes().values()
    assert (node.chain.gas_model, node.chain.fees.price_step_wei) == ("legacy", 10**8)
    assert node.chain.decimals_unread == {f"{hub}/erc20:{token}"}


def test_a_chains_coin_is_counted_in_wei(raw: dict[str, Any]) -> None:
    wrong = with_asset(raw, id="eip155:420420419/slip44:60", symbol="DOT", decimals=10)

    with pytest.raises(WrongSettings, match="has 18 decimals, not 10"):
        structure(wrong)
