"""The consensus rules of the devnet: Cancun, proof of authority of one, a fixed gas limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth.chains.base import MiningChain
from eth.vm.forks.cancun import CancunVM

if TYPE_CHECKING:
    from eth.abc import BlockHeaderAPI

GAS_LIMIT = 30_000_000


class DevnetVM(CancunVM):
    """Cancun, except that blocks of the same second may follow each other.

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


def chain_class(chain_id: int) -> type[MiningChain]:
    """Return py-evm's chain with the devnet's rules and this chain id."""
    return type(
        "DevnetRules",
        (MiningChain,),
        {"chain_id": chain_id, "vm_configuration": ((0, DevnetVM),)},
    )
