"""What rollups of the OP stack take on top, for writing a transaction into their layer 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.abi import WORD, selector, uint_word, words_of
from adapters.evm.rpc import Call
from adapters.evm.wire import BYTES
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from adapters.evm.transactions import UnsignedTransaction

_GET_L1_FEE = selector("getL1Fee(bytes)")
"""Of an unsigned transaction, fully RLP-encoded (ethereum-optimism, ``GasPriceOracle.sol``)."""


async def data_fee(node: EvmNode, transaction: UnsignedTransaction) -> int:
    """Return what a transaction's bytes cost beside its gas, in wei, with the chain's margin.

    No estimate of gas has it in it. 0 on chains whose settings name no oracle.

    Raises:
        ChainUnavailable: no node answered, or there is no such oracle.
    """
    oracle = node.chain.data_fee_oracle
    if oracle is None:
        return 0
    encoded = transaction.encode()
    padding = bytes(-len(encoded) % WORD)
    data = _GET_L1_FEE + uint_word(WORD) + uint_word(len(encoded)) + encoded + padding
    call = Call("eth_call", [{"to": oracle, "data": "0x" + data.hex()}, "latest"])
    words = words_of(await node.call(call, answer=BYTES))
    if words is None or len(words) != 1:
        raise ChainUnavailable(f"{oracle} does not tell the fee of layer 1")
    return int(words[0], 16) * (100 + node.chain.fees.gas_margin_percent) // 100
