from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import HashMap
from pytoniq_core.tlb.config import ConfigParam

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import CellSize, Writer
from adapters.ton.fees import (
    HIGHLOAD_GAS_INSIDE,
    HIGHLOAD_GAS_OUTSIDE,
    PARAMETERS,
    TETHER,
    GasPrices,
    Prices,
    PricesMissing,
    StoragePrices,
    batch_fees,
    jetton_transfer_fee,
)
from adapters.ton.internal import coin_transfer
from adapters.ton.messages import JettonTransfer, comment

if TYPE_CHECKING:
    from pytoniq_core import Cell

ALICE = TonAddress(0, b"\xaa" * 32)
SHARE = 1 << 16


def gas_cell(price: int, flat_units: int = 100, flat_price: int = 40_000) -> Cell:
    flat = Writer().uint(0xD1, 8).uint(flat_units, 64).uint(flat_price, 64)
    return flat.uint(0xDE, 8).uint(price, 64).octets(bytes(8 * 6)).end()


def forward_cell(lump: int, bit: int, cell: int) -> Cell:
    prices = Writer().uint(0xEA, 8).uint(lump, 64).uint(bit, 64).uint(cell, 64)
    return prices.uint(0, 32).uint(0, 16).uint(0, 16).end()


def storage_cell(*by_time: tuple[int, int, int]) -> Cell:
    tree = HashMap(32, value_serializer=lambda cell, leaf: leaf.store_cell(cell))
    for time, bit, cell in by_time:
        prices = Writer().uint(0xCC, 8).uint(time, 32).uint(bit, 64).uint(cell, 64)
        tree.set_int_key(time, prices.uint(1_000, 64).uint(500_000, 64).end())
    stored = tree.serialize()
    assert stored is not None
    return stored


CELLS = {
    18: storage_cell((0, 9, 9), (1_700_000_000, 1, 500), (5, 7, 7)),
    20: gas_cell(10_000 * SHARE, flat_price=1_000_000),
    21: gas_cell(400 * SHARE),
    24: forward_cell(10_000_000, 10_000 * SHARE, 1_000_000 * SHARE),
    25: forward_cell(400_000, 400 * SHARE, 40_000 * SHARE),
}
"""The main network's until April 2026, docs.ton.org/v3/documentation/smart-contracts/limits."""


def configuration(cells: dict[int, Cell]) -> dict[int, Any]:
    """Read parameters as the library's client does."""
    layouts: dict[int, Any] = ConfigParam.params
    return {
        number: layouts[number].deserialize(cell.begin_parse()) for number, cell in cells.items()
    }


PRICES = Prices.of(configuration(CELLS))


def test_prices_are_read_for_each_workchain() -> None:
    assert GasPrices(flat_units=100, flat_price=40_000, unit_price=400 * SHARE) == PRICES.gas
    assert PRICES.storage == StoragePrices(bit_price=1, cell_price=500)
    masterchain = Prices.of(configuration(CELLS), masterchain=True)
    assert masterchain.gas.unit_price == 10_000 * SHARE
    assert masterchain.forwarding.lump_price == 10_000_000
    assert masterchain.storage == StoragePrices(bit_price=1_000, cell_price=500_000)


def test_gas_without_a_flat_price_is_read() -> None:
    plain = Writer().uint(0xDD, 8).uint(7, 64).octets(bytes(8 * 5)).end()
    assert Prices.of(configuration({**CELLS, 21: plain})).gas == GasPrices(unit_price=7)


def test_costs_are_those_of_the_chain_s_formulas() -> None:
    # `calculate_compute_fee`, `calculate_forward_fee`, `calculate_storage_fee` of docs.ton.org.
    assert PRICES.gas.cost(100) == PRICES.gas.cost(1) == 40_000
    assert PRICES.gas.cost(10_100) == 40_000 + 10_000 * 400
    assert PRICES.forwarding.cost(CellSize(2, 1_000)) == 400_000 + 1_000 * 400 + 2 * 40_000
    assert PRICES.storage.cost(CellSize(3, 1_033), seconds=SHARE) == 1_033 + 1_500
    assert PRICES.storage.cost(CellSize(0, 1), seconds=1) == 1


@pytest.mark.parametrize("number", PARAMETERS)
def test_without_a_price_there_is_no_bound(number: int) -> None:
    cells = {each: cell for each, cell in CELLS.items() if each != number}
    with pytest.raises(PricesMissing) as missing:
        Prices.of(configuration(cells))
    assert missing.value.parameter == number


def test_a_flat_price_within_a_flat_price_is_of_no_known_kind() -> None:
    flat = Writer().uint(0xD1, 8).uint(1, 64).uint(1, 64).contents(CELLS[21]).end()
    with pytest.raises(PricesMissing):
        Prices.of(configuration({**CELLS, 21: flat}))


@given(st.integers(1, 250))
def test_a_batch_s_bound_grows_with_its_transfers(count: int) -> None:
    one = coin_transfer(destination=ALICE, amount=1, bounce=False, memo="memo")
    fees = batch_fees([one] * count, PRICES)
    assert fees.total == fees.before + fees.allowance
    assert batch_fees([one] * (count + 1), PRICES).allowance > fees.allowance
    assert batch_fees([one] * count, PRICES, deploy=True).before > fees.before
    assert batch_fees([one] * count, PRICES, idle_seconds=10**7).before > fees.before


def test_a_batch_s_bound_has_the_gas_of_both_runs() -> None:
    one = [coin_transfer(destination=ALICE, amount=1, bounce=False)]
    free = attrs.evolve(PRICES, gas=GasPrices(unit_price=0))
    with_gas, without = batch_fees(one, PRICES), batch_fees(one, free)
    assert with_gas.before - without.before == PRICES.gas.cost(HIGHLOAD_GAS_OUTSIDE)
    assert with_gas.allowance - without.allowance == PRICES.gas.cost(HIGHLOAD_GAS_INSIDE)


def test_bounds_follow_the_prices() -> None:
    cheap = Prices(
        gas=attrs.evolve(PRICES.gas, flat_price=4_000, unit_price=40 * SHARE),
        forwarding=attrs.evolve(PRICES.forwarding, lump_price=40_000),
        storage=PRICES.storage,
    )
    told = JettonTransfer(
        query_id=1,
        amount=1,
        destination=ALICE,
        response_destination=ALICE,
        forward_amount=1,
        forward_payload=comment("memo"),
    )
    assert jetton_transfer_fee(told, cheap) < jetton_transfer_fee(told, PRICES)
    dearer = attrs.evolve(told, forward_amount=201)
    assert jetton_transfer_fee(dearer, PRICES) == jetton_transfer_fee(told, PRICES) + 200


def test_tether_s_jetton_takes_what_is_computed() -> None:
    # `check_amount_is_enough_to_transfer` of contracts/gas.fc, stablecoin-contract, with the
    # prices above and the forwarding fee of the message from owner to wallet.
    told = JettonTransfer(
        query_id=1,
        amount=1,
        destination=ALICE,
        response_destination=ALICE,
        forward_amount=1,
        forward_payload=comment("memo"),
    )
    body = CellSize.of([told.to_cell()])
    needed = (
        1
        + 2 * PRICES.forwarding.cost(body)
        + PRICES.forwarding.cost(CellSize(3, 931))
        + PRICES.gas.cost(9_255)
        + PRICES.gas.cost(10_355)
        + PRICES.storage.cost(CellSize(3, 1_033), seconds=157_680_000)
    )
    assert needed < jetton_transfer_fee(told, PRICES, limits=TETHER) < 2 * needed
