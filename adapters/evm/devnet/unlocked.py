"""``eth_sendTransaction``: the devnet signs for its well-known accounts, and for nobody else.

So do anvil, Ganache and Hardhat. Whoever reaches the node could sign by himself: everybody knows
these keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth_keys.datatypes import PrivateKey

from adapters.evm.devnet import arguments, execution, fees
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.node import DevnetNode
from adapters.evm.devnet.pool import TransactionRefused
from adapters.evm.devnet.protocol import SERVER_ERROR, RpcError

if TYPE_CHECKING:
    from adapters.evm.devnet.protocol import Method

_KEYS: Final = {
    bytes.fromhex(account.address[2:]): account.private_key for account in devnet_accounts()
}
"""The keys that everybody knows, by their accounts."""


@attrs.frozen
class UnlockedMethods:
    """What a node offers that holds keys."""

    _node: DevnetNode

    def table(self) -> dict[str, Method]:
        """Return the methods under their JSON-RPC names."""
        return {"eth_accounts": self.accounts, "eth_sendTransaction": self.send}

    def accounts(self) -> list[str]:
        """Answer ``eth_accounts``."""
        return [account.address.lower() for account in devnet_accounts()]

    def send(self, request: object) -> str:
        """Answer ``eth_sendTransaction``; what is left out is filled in: nonce, gas and fees."""
        call = arguments.call(request)
        named = request if isinstance(request, dict) else {}
        key = _KEYS.get(call.sender)
        if key is None:
            raise RpcError(SERVER_ERROR, "unknown account")
        chain, head = self._node.chain, self._node.chain.head
        nonce, fee = named.get("nonce"), named.get("maxFeePerGas", named.get("gasPrice"))
        mined = chain.state(head).get_nonce(call.sender)
        most = (
            # Twice the base fee stays enough for six full blocks (EIP-1559: an eighth more each).
            2 * self._node.next_base_fee() + fees.SUGGESTED_TIP_WEI
            if fee is None
            else arguments.quantity(fee, "maxFeePerGas")
        )
        unsigned = CancunTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=chain.chain_id,
            nonce=(
                self._node.pool.next_nonce(call.sender, mined=mined)
                if nonce is None
                else arguments.quantity(nonce, "nonce")
            ),
            max_priority_fee_per_gas=min(fees.SUGGESTED_TIP_WEI, most),
            max_fee_per_gas=most,
            gas=call.gas or execution.estimate_gas(chain, head, call),
            to=call.to,
            value=call.value,
            data=call.data,
            access_list=call.access_list,
        )
        signed = unsigned.as_signed_transaction(PrivateKey(key))
        try:
            return "0x" + self._node.send(signed.encode()).hex()
        except TransactionRefused as error:
            raise RpcError(SERVER_ERROR, str(error)) from error
