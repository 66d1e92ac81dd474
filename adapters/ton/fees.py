"""What the chain takes, bounded from above, by the prices that it is configured with.

Prices are voted on and change (they fell to a sixth in April 2026), so they are read from a block
when they are needed. What is written here is how much work is done at most: cells, bits and gas,
which follow from contracts' code and not from any vote.

https://docs.ton.org/foundations/fees and block.tlb, ``ConfigParam``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from adapters.ton.cells import CellSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytoniq_core.tlb.config import GasLimitsPrices

    from adapters.ton.internal import InternalMessage
    from adapters.ton.messages import JettonTransfer

STORAGE_PARAMETER: Final = 18
GAS_PARAMETER: Final = 21
FORWARDING_PARAMETER: Final = 25
PARAMETERS: Final = (STORAGE_PARAMETER, GAS_PARAMETER, FORWARDING_PARAMETER)
MASTERCHAIN_PARAMETERS: Final = (STORAGE_PARAMETER, 20, 24)
"""What to ask a block's configuration for."""

_FIXED_POINT: Final = 1 << 16
"""Prices are in nanotons times 65,536: of gas, of bits and cells, and of these for a second."""


@attrs.frozen
class PricesMissing(LookupError):
    """The configuration does not say what something costs, or not in a way that is known."""

    parameter: int


@attrs.frozen(kw_only=True)
class GasPrices:
    """``GasLimitsPrices``: a flat price for the first units, and a price for each that follows."""

    flat_units: int = 0
    flat_price: int = 0
    unit_price: int

    def cost(self, units: int) -> int:
        """Return what a run of so many units of gas costs, in nanotons."""
        if units <= self.flat_units:
            return self.flat_price
        return self.flat_price + _rounded_up((units - self.flat_units) * self.unit_price)


@attrs.frozen(kw_only=True)
class ForwardPrices:
    """``MsgForwardPrices``: a price for a message, for its bits and for its cells."""

    lump_price: int
    bit_price: int
    cell_price: int

    def cost(self, size: CellSize) -> int:
        """Return what a message costs, in nanotons.

        The chain does not count the message's root cell; a size that has it gives a bit more.
        """
        return self.lump_price + _rounded_up(
            size.bits * self.bit_price + size.cells * self.cell_price
        )


@attrs.frozen(kw_only=True)
class StoragePrices:
    """``StoragePrices`` of one workchain: for each bit and cell, for each second."""

    bit_price: int
    cell_price: int

    def cost(self, size: CellSize, *, seconds: int) -> int:
        """Return what an account of a size owes after a time, in nanotons."""
        priced = size.bits * self.bit_price + size.cells * self.cell_price
        return _rounded_up(priced * seconds)


@attrs.frozen(kw_only=True)
class Prices:
    """All prices of a workchain."""

    gas: GasPrices
    forwarding: ForwardPrices
    storage: StoragePrices

    @classmethod
    def of(cls, configuration: Mapping[int, Any], *, masterchain: bool = False) -> Prices:
        """Read them from a block's configuration.

        Args:
            configuration: What the library's ``get_config_params(PARAMETERS)`` returns: at least
                `PARAMETERS`, or `MASTERCHAIN_PARAMETERS` for the masterchain.
            masterchain: Whose prices; our wallets and their recipients are in the basechain.

        Raises:
            PricesMissing: a parameter is missing or of an unknown kind.
        """
        numbers = MASTERCHAIN_PARAMETERS if masterchain else PARAMETERS
        for number in numbers:
            if not configuration.get(number):
                raise PricesMissing(number)
        by_time, gas, forwarding = (configuration[number] for number in numbers)
        storage = by_time[max(by_time)]
        return cls(
            gas=_gas_prices(gas, number=numbers[1]),
            forwarding=ForwardPrices(
                lump_price=forwarding.lump_price,
                bit_price=forwarding.bit_price,
                cell_price=forwarding.cell_price,
            ),
            storage=StoragePrices(
                bit_price=storage.mc_bit_price_ps if masterchain else storage.bit_price_ps,
                cell_price=storage.mc_cell_price_ps if masterchain else storage.cell_price_ps,
            ),
        )


HIGHLOAD_GAS_OUTSIDE: Final = 30_000
HIGHLOAD_GAS_INSIDE: Final = 3_000
"""Most gas of the highload wallet's run for the message from outside, and of that for its own
message. The first grows with its dictionary of queries, whose paths have up to 13 forks of some
650 units each; the second does not depend on how many transfers there are."""

ACTION_SIZE: Final = CellSize(cells=1, bits=40)
BATCH_SIZE: Final = CellSize(cells=8, bits=8 * 1023)
"""What a batch has for each transfer besides it, and once: signature, order, the wallet's own
message and the list's end; the code and state of a wallet's first message are not counted."""
ENVELOPE_SIZE: Final = CellSize(cells=2, bits=2 * 1023)
"""A message's own cell and a body of one."""
INIT_SIZE: Final = CellSize(cells=24, bits=8_192)
"""Most that code and first state of a highload wallet or a jetton's wallet take."""


@attrs.frozen(kw_only=True)
class BatchFees:
    """The most that a highload batch costs, in nanotons.

    Attributes:
        before: Taken from the wallet's balance when the message comes in.
        allowance: To be given to the batch, which pays its transfers' forwarding with it.
    """

    before: int
    allowance: int

    @property
    def total(self) -> int:
        """What the wallet must hold besides the values of the transfers."""
        return self.before + self.allowance


def batch_fees(
    transfers: Sequence[InternalMessage],
    prices: Prices,
    *,
    deploy: bool = False,
    stored: CellSize = INIT_SIZE,
    idle_seconds: int = 0,
) -> BatchFees:
    """Return the most that a batch costs.

    Args:
        transfers: What is sent.
        prices: Of the basic workchain.
        deploy: Whether the message takes the wallet's code along.
        stored: What the wallet's account occupies, for its rent.
        idle_seconds: Since the wallet's last transaction, for its rent.
    """
    cells = [transfer.to_cell() for transfer in transfers]
    sizes = [CellSize.of([cell]) for cell in cells]
    listed = CellSize(ACTION_SIZE.cells * len(cells), ACTION_SIZE.bits * len(cells))
    batch = CellSize.of(cells) + listed + BATCH_SIZE
    gas, forwarding = prices.gas, prices.forwarding
    return BatchFees(
        before=forwarding.cost(batch + INIT_SIZE if deploy else batch)
        + gas.cost(HIGHLOAD_GAS_OUTSIDE)
        + forwarding.cost(batch)
        + prices.storage.cost(stored, seconds=idle_seconds),
        allowance=gas.cost(HIGHLOAD_GAS_INSIDE) + sum(map(forwarding.cost, sizes)),
    )


@attrs.frozen(kw_only=True)
class JettonLimits:
    """The most that a jetton's wallets take.

    Attributes:
        gas_of_sending: For a run that sends.
        gas_of_receiving: For a run that receives and notifies.
        init: Code and first state, which each transfer takes along.
        stored: What a wallet occupies.
        rent_seconds: For how long a wallet that receives keeps its rent.
    """

    gas_of_sending: int
    gas_of_receiving: int
    init: CellSize
    stored: CellSize
    rent_seconds: int


TETHER: Final = JettonLimits(
    gas_of_sending=9_255,
    gas_of_receiving=10_355,
    init=CellSize(cells=3, bits=931),
    stored=CellSize(cells=3, bits=1_033),
    rent_seconds=5 * 365 * 24 * 3600,
)
"""contracts/gas.fc of https://github.com/ton-blockchain/stablecoin-contract."""

DEVNET: Final = JettonLimits(
    gas_of_sending=12_000,
    gas_of_receiving=12_000,
    init=INIT_SIZE,
    stored=INIT_SIZE,
    rent_seconds=365 * 24 * 3600,
)
"""contracts/src/wallet.fc: the jetton that ships with the devnet."""


def jetton_transfer_fee(
    transfer: JettonTransfer, prices: Prices, *, limits: JettonLimits = TETHER
) -> int:
    """Return what to attach to a transfer of jettons, in nanotons.

    It pays two runs, the transfer between the two wallets, the notification, the excesses, the
    new wallet's rent and the forward amount. What is left over comes back as excesses, if the
    transfer names who gets them.
    """
    gas, forwarding = prices.gas, prices.forwarding
    message = CellSize.of([transfer.to_cell()]) + ENVELOPE_SIZE
    return (
        transfer.forward_amount
        + gas.cost(limits.gas_of_sending)
        + gas.cost(limits.gas_of_receiving)
        + 2 * forwarding.cost(message)
        + forwarding.cost(limits.init)
        + forwarding.cost(ENVELOPE_SIZE)
        + prices.storage.cost(limits.stored, seconds=limits.rent_seconds)
        + 1
    )


def _rounded_up(price: int) -> int:
    return -(-price // _FIXED_POINT)


def _gas_prices(parameter: GasLimitsPrices, *, number: int) -> GasPrices:
    # A flat price stands before the others and holds them.
    each = parameter if parameter.other is None else parameter.other
    if each.gas_price is None:
        raise PricesMissing(number)
    return GasPrices(
        flat_units=parameter.flat_gas_limit or 0,
        flat_price=parameter.flat_gas_price or 0,
        unit_price=each.gas_price,
    )
