"""Batches of sweeps: who has yet to delegate, and the gas that moving all of them may need.

The gas of a batch is reckoned, not estimated. An estimate is the least gas with which the call
does not revert, and a batch does not revert where a place gets too little: nothing comes of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.authorizations import Authorization, Delegation, delegates_to
from adapters.evm.rpc import Call
from adapters.evm.wire import BYTES, QUANTITY, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.calls import ContractCall
    from adapters.evm.node import EvmNode

TRANSACTION_GAS: Final = 21_000

BASE_GAS: Final = 30_000
"""What a batch costs beside its places: the transaction itself, its call's head, and the lock."""

AUTHORIZATION_GAS: Final = 25_000
"""Taken for each authorization; half of it comes back where the account has ever been used
(``PER_EMPTY_ACCOUNT_COST`` of EIP-7702)."""

PLACE_GAS: Final = 20_000
"""What a place may cost beside what its token's transfer uses as a transaction of its own, by the
gas schedule of Prague: two addresses in the call data (736); a call to the account and to the
collector's code (2,600 and 2,700); asking for the balance, which the transfer reads as well
(some 3,000); what every call keeps back (EIP-150) and what the contract keeps for ``Missed``
(6,000). The rest is to spare."""

_ANY_SIGNATURE: Final = 2**256 - 1
"""Stands for a signature's numbers in what is only measured."""


@attrs.frozen
class Delegator:
    """A deposit address that has yet to delegate, and what it has to sign for that."""

    address: str
    index: int
    delegation: Delegation

    @property
    def measured(self) -> Authorization:
        """An authorization as long as the one it will sign."""
        return Authorization(
            delegation=self.delegation, parity=1, r=_ANY_SIGNATURE, s=_ANY_SIGNATURE
        )


async def delegators(node: EvmNode, moves: Sequence[ContractCall]) -> tuple[Delegator, ...]:
    """Return which of the addresses of a batch have yet to delegate to the collector.

    Raises:
        ChainUnavailable: no node answered.
    """
    collector = node.chain.collector
    if collector is None:
        return ()
    codes = await node.batch(
        [Call("eth_getCode", [move.sender, "latest"]) for move in moves], answer=BYTES
    )
    nonces = await node.batch(
        [Call("eth_getTransactionCount", [move.sender, "latest"]) for move in moves],
        answer=QUANTITY,
    )
    return tuple(
        Delegator(
            move.sender,
            move.index,
            Delegation(chain_id=node.chain.chain_id, contract=collector, nonce=number(nonce)),
        )
        for move, code, nonce in zip(moves, codes, nonces, strict=True)
        if move.index is not None and not delegates_to(bytes.fromhex(code[2:]), collector)
    )


def collecting_gas(transfers: Sequence[int], *, authorizations: int) -> int:
    """Return the gas with which every place of a batch gets what its token needs.

    Args:
        transfers: What each token's transfer uses as a transaction of its own.
        authorizations: How many addresses delegate by it.
    """
    places = sum(used - TRANSACTION_GAS + PLACE_GAS for used in transfers)
    return BASE_GAS + authorizations * AUTHORIZATION_GAS + places
