"""Devnets at will, of those chains that the settings call devnets; real chains have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.sandbox import EvmSandbox
from adapters.ton.sandbox import TonSandbox
from config.deployments.ton import native
from domain.shared.money import ChainId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.evm.node import EvmNode
    from adapters.ton.liteservers import Liteservers
    from config.settings import Settings


def sandboxes(
    settings: Settings,
    nodes: Mapping[ChainId, EvmNode],
    liteservers: Mapping[ChainId, Liteservers],
) -> Mapping[ChainId, EvmSandbox | TonSandbox]:
    """Return what orders things on each devnet; none is asked anything yet."""
    on_evm = {
        ChainId(chain.id): EvmSandbox(nodes[ChainId(chain.id)])
        for chain in settings.evm_chains
        if chain.devnet
    }
    on_ton = {
        ChainId(chain.id): TonSandbox(
            ChainId(chain.id), native=native(chain), servers=liteservers[ChainId(chain.id)]
        )
        for chain in settings.ton_chains
        if chain.devnet
    }
    return {**on_evm, **on_ton}
