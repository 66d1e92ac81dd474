"""The ``eth_``, ``net_`` and ``web3_`` methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.evm.devnet import arguments, encoding, execution, fees, logs
from adapters.evm.devnet.arguments import WORD_BYTES
from adapters.evm.devnet.node import DevnetNode
from adapters.evm.devnet.pool import TransactionRefused
from adapters.evm.devnet.protocol import METHOD_NOT_FOUND, SERVER_ERROR, RpcError

if TYPE_CHECKING:
    from eth.abc import StateAPI

    from adapters.evm.devnet.encoding import Json
    from adapters.evm.devnet.protocol import Method

CLIENT_VERSION = "Switchyard-devnet/py-evm/prague"


@attrs.frozen
class EthereumMethods:
    """What wallets, libraries and the gateway ask a node."""

    _node: DevnetNode

    def table(self) -> dict[str, Method]:
        """Return the methods under their JSON-RPC names."""
        node = self._node
        return {
            "web3_clientVersion": lambda: CLIENT_VERSION,
            "net_version": lambda: str(node.chain.chain_id),
            "net_listening": lambda: True,
            "eth_chainId": lambda: hex(node.chain.chain_id),
            "eth_syncing": lambda: False,
            "eth_blockNumber": lambda: hex(node.chain.head.block_number),
            "eth_gasPrice": lambda: hex(fees.gas_price(node)),
            "eth_maxPriorityFeePerGas": lambda: hex(fees.SUGGESTED_TIP_WEI),
            "eth_feeHistory": self.fee_history,
            "eth_getBlockByNumber": self.block,
            "eth_getBlockByHash": self.block_by_hash,
            "eth_getBlockReceipts": self.block_receipts,
            "eth_getTransactionByHash": self.transaction,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getLogs": self.logs,
            "eth_getBalance": self.balance,
            "eth_getTransactionCount": self.transaction_count,
            "eth_getCode": self.code,
            "eth_getStorageAt": self.storage,
            "eth_call": self.call,
            "eth_estimateGas": self.estimate_gas,
            "eth_sendRawTransaction": self.send_raw,
            "eth_subscribe": self.subscribe,
        }

    def fee_history(self, count: object, newest: object, percentiles: object = None) -> Json:
        """Answer ``eth_feeHistory``."""
        return fees.fee_history(self._node, count, newest, percentiles)

    def block(self, number: object, full: object = False) -> Json | None:  # noqa: FBT002 - positional on the wire
        """Answer ``eth_getBlockByNumber``."""
        shown_full = arguments.flag(full, "full")
        header = arguments.block(self._node, number)
        if header is None:
            return None
        return encoding.block_json(self._node.chain.block(header), full=shown_full)

    def block_by_hash(self, block_hash: object, full: object = False) -> Json | None:  # noqa: FBT002 - as above
        """Answer ``eth_getBlockByHash``; a block that a reorg dropped is not found."""
        return self.block({"blockHash": block_hash}, full)

    def block_receipts(self, block: object) -> list[Json] | None:
        """Answer ``eth_getBlockReceipts`` by number, tag or hash."""
        if isinstance(block, str) and len(block) == 2 + 2 * WORD_BYTES:
            block = {"blockHash": block}
        header = arguments.block(self._node, block)
        if header is None:
            return None
        sealed = self._node.chain.block(header)
        return [encoding.receipt_json(sealed, n) for n in range(len(sealed.receipts))]

    def transaction(self, transaction_hash: object) -> Json | None:
        """Answer ``eth_getTransactionByHash``, from the chain or the pool."""
        wanted = arguments.sized(transaction_hash, WORD_BYTES, "hash")
        position = self._node.chain.transaction_position(wanted)
        if position is not None:
            header, index = position
            return encoding.mined_transaction_json(self._node.chain.block(header), index)
        waiting = self._node.pool.find(wanted)
        return None if waiting is None else encoding.waiting_transaction_json(waiting)

    def receipt(self, transaction_hash: object) -> Json | None:
        """Answer ``eth_getTransactionReceipt``."""
        wanted = arguments.sized(transaction_hash, WORD_BYTES, "hash")
        position = self._node.chain.transaction_position(wanted)
        if position is None:
            return None
        header, index = position
        return encoding.receipt_json(self._node.chain.block(header), index)

    def logs(self, request: object) -> list[Json]:
        """Answer ``eth_getLogs``."""
        return logs.get_logs(self._node, request)

    def balance(self, address: object, block: object = None) -> str:
        """Answer ``eth_getBalance``."""
        return hex(self._state(block).get_balance(arguments.address(address)))

    def transaction_count(self, address: object, block: object = None) -> str:
        """Answer ``eth_getTransactionCount``; ``pending`` counts the pool."""
        sender = arguments.address(address)
        mined = self._state(block).get_nonce(sender)
        if block == "pending":
            return hex(self._node.pool.next_nonce(sender, mined=mined))
        return hex(mined)

    def code(self, address: object, block: object = None) -> str:
        """Answer ``eth_getCode``."""
        return "0x" + self._state(block).get_code(arguments.address(address)).hex()

    def storage(self, address: object, slot: object, block: object = None) -> str:
        """Answer ``eth_getStorageAt``; the slot is a quantity or, as geth allows, 32 bytes."""
        is_word = isinstance(slot, str) and len(slot) == 2 + 2 * WORD_BYTES
        index = (
            int.from_bytes(arguments.data(slot, "slot"), "big")
            if is_word
            else arguments.quantity(slot, "slot")
        )
        value = self._state(block).get_storage(arguments.address(address), index)
        return "0x" + value.to_bytes(WORD_BYTES, "big").hex()

    def call(self, request: object, block: object = None) -> str:
        """Answer ``eth_call``."""
        header = arguments.existing_block(self._node, block)
        return "0x" + execution.call(self._node.chain, header, arguments.call(request)).hex()

    def estimate_gas(self, request: object, block: object = None) -> str:
        """Answer ``eth_estimateGas``."""
        header = arguments.existing_block(self._node, block)
        return hex(execution.estimate_gas(self._node.chain, header, arguments.call(request)))

    def send_raw(self, raw: object) -> str:
        """Answer ``eth_sendRawTransaction``."""
        try:
            return "0x" + self._node.send(arguments.data(raw, "transaction")).hex()
        except TransactionRefused as error:
            raise RpcError(SERVER_ERROR, str(error)) from error

    def subscribe(self, _name: object = None, _options: object = None) -> object:
        """Refuse ``eth_subscribe``: plain HTTP has no way back."""
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported")

    def _state(self, block: object) -> StateAPI:
        return self._node.chain.state(arguments.existing_block(self._node, block))
