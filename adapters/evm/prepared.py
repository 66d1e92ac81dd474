"""A call made ready to be signed: what it costs at most, and what it lacks."""

from __future__ import annotations

import attrs

from adapters.evm.authorizations import Authorization
from adapters.evm.calls import ContractCall
from adapters.evm.collecting import Delegator
from adapters.evm.fees import Fees
from adapters.evm.transactions import UnsignedTransaction
from domain.shared.money import AssetId, Money


@attrs.frozen
class EvmPrepared:
    """A call with its gas limit and fees; all it lacks is a nonce and a signature."""

    call: ContractCall
    gas_limit: int
    fees: Fees
    native: AssetId
    data_fee: int = 0
    """What a rollup takes beside gas, in wei."""
    cancels: bool = False
    delegators: tuple[Delegator, ...] = ()
    """Whose authorizations it lacks as well."""
    authorizations: tuple[Authorization, ...] = ()

    @property
    def sender(self) -> str:
        """The account whose nonce it lacks."""
        return self.call.sender

    @property
    def fee_limit(self) -> Money:
        """The most the network can take for it, in the native coin."""
        return Money(self.gas_limit * self.fees.max_fee_per_gas + self.data_fee, self.native)

    def unsigned(self, *, chain_id: int, nonce: int) -> UnsignedTransaction:
        """Return the transaction that it is with a nonce."""
        fee, tip = self.fees.max_fee_per_gas, self.fees.tip_per_gas
        return UnsignedTransaction(
            chain_id=chain_id,
            nonce=nonce,
            target=self.call.target,
            value=self.call.value,
            data=self.call.data,
            gas_limit=self.gas_limit,
            max_fee_per_gas=fee,
            # What carries authorizations has a tip, also where there is no base fee beside it.
            tip_per_gas=fee if tip is None and self.authorizations else tip,
            authorizations=self.authorizations,
        )
