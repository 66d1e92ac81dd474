"""The consensus rules of the devnet: Prague, proof of authority of one, a fixed gas limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth.chains.base import MiningChain
from eth.vm.base import VM
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.prague import PragueVM

if TYPE_CHECKING:
    from eth.abc import BlockHeaderAPI

GAS_LIMIT = 30_000_000

_TRANSFER_GAS = 21_000
_FLOOR_PER_ZERO, _FLOOR_PER_OTHER = 10, 40


class EqualTimestamps(VM):
    """Blocks of the same second may follow each other.

    Ethereum wants each timestamp later than its parent's. A node that mines on every transaction
    would run minutes ahead of the clock, and every deadline in a contract with it. BSC, with two
    blocks a second, has equal timestamps in the field too.
    """

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Check a header against its parent, allowing an equal timestamp.

        Raises:
            eth_utils.ValidationError: The header breaks a rule.
        """
        earlier = parent_header.copy(timestamp=parent_header.timestamp - 1)
        super().validate_header(header, earlier)


class PragueRules(EqualTimestamps, PragueVM):
    """Prague, with the exception above, and without the contracts for the beacon chain."""


class CancunRules(EqualTimestamps, CancunVM):
    """What chains have that were begun before this node knew Prague: they keep their rules."""


FORKS: Final[dict[str, type[VM]]] = {"prague": PragueRules, "cancun": CancunRules}
NEWEST: Final = "prague"
OLDEST: Final = "cancun"


def chain_class(chain_id: int, *, fork: str) -> type[MiningChain]:
    """Return py-evm's chain with the devnet's rules of a fork and this chain id."""
    return type(
        "DevnetRules",
        (MiningChain,),
        {"chain_id": chain_id, "vm_configuration": ((0, FORKS[fork]),)},
    )


def floor_gas(data: bytes) -> int:
    """Return the least gas that a transaction with this data takes (EIP-7623)."""
    zeros = data.count(0)
    return _TRANSFER_GAS + _FLOOR_PER_ZERO * zeros + _FLOOR_PER_OTHER * (len(data) - zeros)
