from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from pytoniq_core import Cell, HashMap

from adapters.ton import contracts
from adapters.ton.addresses import TonAddress
from adapters.ton.contracts.jetton import DevnetJetton, load, onchain_content
from adapters.ton.internal import InternalMessage

if TYPE_CHECKING:
    from adapters.ton.contracts.jetton import ContractName

FILES = resources.files(contracts)
ADMIN = TonAddress(0, b"\xad" * 32)
NAMES: tuple[ContractName, ...] = ("JettonMinter", "JettonWallet")


@pytest.mark.parametrize("name", NAMES)
def test_the_artifact_was_compiled_from_the_sources_that_are_here(name: ContractName) -> None:
    sources = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FILES.joinpath("src").iterdir()
    }
    assert load(name).sources_sha256 == sources


@pytest.mark.parametrize("name", NAMES)
def test_the_code_has_the_hash_that_stands_beside_it(name: ContractName) -> None:
    document: dict[str, Any] = json.loads(
        FILES.joinpath("artifacts", f"{name}.json").read_text("utf-8")
    )
    assert Cell.one_from_boc(document["code"]).hash.hex() == document["code_hash"]
    assert load(name) is load(name)


def test_the_lock_names_no_registry() -> None:
    text = FILES.joinpath("package-lock.json").read_text("utf-8")
    assert "http" not in text
    assert "resolved" not in text


def test_the_content_says_decimals_where_tep_64_looks_for_them() -> None:
    content = onchain_content({"decimals": "6", "symbol": "USDT"}).begin_parse()
    assert content.load_uint(8) == 0
    words = HashMap.parse(
        content.load_ref().begin_parse(), 256, value_deserializer=lambda rest: rest.load_ref()
    )
    assert words is not None
    key = int.from_bytes(hashlib.sha256(b"decimals").digest(), "big")
    assert words[key].begin_parse().load_bytes(2) == b"\x006"


def test_addresses_follow_from_admin_content_and_owner() -> None:
    jetton = DevnetJetton(admin=ADMIN)
    owners = [TonAddress(0, bytes([each]) * 32) for each in range(5)]
    assert len({jetton.wallet(owner) for owner in owners}) == 5
    assert DevnetJetton(admin=ADMIN, decimals=9).minter != jetton.minter
    assert DevnetJetton(admin=owners[0]).minter != jetton.minter


def test_a_deployment_carries_the_minter_and_is_read_back() -> None:
    jetton = DevnetJetton(admin=ADMIN)
    told = jetton.deployment(attached=10**9)
    assert told.init == jetton.init
    assert told.destination == jetton.minter
    assert InternalMessage.parse(told.to_cell()) == told
