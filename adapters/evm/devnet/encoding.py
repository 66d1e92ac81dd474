"""Blocks, transactions, receipts and logs as JSON-RPC shows them.

Field names and forms are those of the execution API specification
(https://github.com/ethereum/execution-apis): quantities without leading zeros, data padded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rlp  # type: ignore[import-untyped]  # It ships no types.
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eth.abc import BlockHeaderAPI, LogAPI, SignedTransactionAPI

    from adapters.evm.devnet.chain import SealedBlock

Json = dict[str, object]

BLOOM_BYTES = 256
_LEGACY, _ACCESS_LIST, _DYNAMIC_FEE, _SET_CODE = 0, 1, 2, 4


def block_json(sealed: SealedBlock, *, full: bool) -> Json:
    """Show a block with whole transactions or their hashes."""
    header = sealed.header
    indexes = range(len(sealed.transactions))
    shown: list[object] = (
        [mined_transaction_json(sealed, index) for index in indexes]
        if full
        else [_hex(one.hash) for one in sealed.transactions]
    )
    encoded_transactions = [one.encode() for one in sealed.transactions]
    return {
        "number": hex(header.block_number),
        "hash": _hex(header.hash),
        "parentHash": _hex(header.parent_hash),
        "nonce": _hex(header.nonce),
        "sha3Uncles": _hex(header.uncles_hash),
        "logsBloom": _bloom(header.bloom),
        "transactionsRoot": _hex(header.transaction_root),
        "stateRoot": _hex(header.state_root),
        "receiptsRoot": _hex(header.receipt_root),
        "miner": to_checksum_address(header.coinbase),
        "difficulty": hex(header.difficulty),
        "totalDifficulty": hex(header.difficulty),
        "extraData": _hex(header.extra_data),
        "size": hex(len(rlp.encode(header)) + sum(map(len, encoded_transactions))),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "mixHash": _hex(header.mix_hash),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "withdrawalsRoot": _hex(header.withdrawals_root or b""),
        "withdrawals": [],
        "blobGasUsed": hex(header.blob_gas_used or 0),
        "excessBlobGas": hex(header.excess_blob_gas or 0),
        "parentBeaconBlockRoot": _hex(header.parent_beacon_block_root or b""),
        "uncles": [],
        "transactions": shown,
    }


def mined_transaction_json(sealed: SealedBlock, index: int) -> Json:
    """Show a transaction with its place in the chain."""
    header = sealed.header
    transaction = sealed.transactions[index]
    shown = waiting_transaction_json(transaction)
    shown["blockHash"] = _hex(header.hash)
    shown["blockNumber"] = hex(header.block_number)
    shown["transactionIndex"] = hex(index)
    shown["gasPrice"] = hex(effective_gas_price(transaction, header))
    return shown


def waiting_transaction_json(transaction: SignedTransactionAPI) -> Json:
    """Show a transaction that is in no block yet."""
    kind = transaction.type_id or _LEGACY
    shown: Json = {
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "type": hex(kind),
        "hash": _hex(transaction.hash),
        "nonce": hex(transaction.nonce),
        "from": to_checksum_address(transaction.sender),
        "to": _recipient(transaction),
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "gasPrice": hex(transaction.max_fee_per_gas),
        "input": _hex(transaction.data),
        "chainId": hex(transaction.chain_id or 0),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    if kind == _LEGACY:
        recovery: int = getattr(transaction, "v")  # noqa: B009 - only legacy ones declare it
        shown["v"] = hex(recovery)
        return shown
    shown["v"] = shown["yParity"] = hex(transaction.y_parity)
    shown["accessList"] = [
        {
            "address": to_checksum_address(address),
            "storageKeys": [_hex(slot.to_bytes(32, "big")) for slot in slots],
        }
        for address, slots in transaction.access_list
    ]
    if kind >= _DYNAMIC_FEE:
        shown["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        shown["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    if kind == _SET_CODE:
        shown["authorizationList"] = [
            {
                "chainId": hex(one.chain_id),
                "address": to_checksum_address(one.address),
                "nonce": hex(one.nonce),
                "yParity": hex(one.y_parity),
                "r": hex(one.r),
                "s": hex(one.s),
            }
            for one in transaction.authorization_list
        ]
    return shown


def receipt_json(sealed: SealedBlock, index: int) -> Json:
    """Show the receipt of transaction `index`."""
    header = sealed.header
    transaction, receipt = sealed.transactions[index], sealed.receipts[index]
    created = (
        None
        if transaction.to
        else to_checksum_address(keccak(rlp.encode([transaction.sender, transaction.nonce]))[12:])
    )
    return {
        "type": hex(transaction.type_id or _LEGACY),
        "status": hex(int.from_bytes(receipt.state_root, "big")),
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(sealed.gas_used(index)),
        "effectiveGasPrice": hex(effective_gas_price(transaction, header)),
        "logs": list(logs_json(sealed, index)),
        "logsBloom": _bloom(receipt.bloom),
        "transactionHash": _hex(transaction.hash),
        "transactionIndex": hex(index),
        "blockHash": _hex(header.hash),
        "blockNumber": hex(header.block_number),
        "from": to_checksum_address(transaction.sender),
        "to": _recipient(transaction),
        "contractAddress": created,
    }


def logs_json(sealed: SealedBlock, index: int) -> Iterator[Json]:
    """Show every log of transaction `index`."""
    first = sealed.first_log_index(index)
    for position, log in enumerate(sealed.receipts[index].logs, start=first):
        yield log_json(sealed, index, log, position)


def log_json(sealed: SealedBlock, index: int, log: LogAPI, position: int) -> Json:
    """Show one log; `position` counts within the block."""
    return {
        "address": to_checksum_address(log.address),
        "topics": [_hex(topic.to_bytes(32, "big")) for topic in log.topics],
        "data": _hex(log.data),
        "blockNumber": hex(sealed.header.block_number),
        "blockHash": _hex(sealed.header.hash),
        "blockTimestamp": hex(sealed.header.timestamp),
        "transactionHash": _hex(sealed.transactions[index].hash),
        "transactionIndex": hex(index),
        "logIndex": hex(position),
        "removed": False,
    }


def effective_gas_price(transaction: SignedTransactionAPI, header: BlockHeaderAPI) -> int:
    """Return what one unit of gas cost in this block, in wei."""
    offered = transaction.max_priority_fee_per_gas + (header.base_fee_per_gas or 0)
    return min(transaction.max_fee_per_gas, offered)


def _recipient(transaction: SignedTransactionAPI) -> str | None:
    return to_checksum_address(transaction.to) if transaction.to else None


def _bloom(bloom: int) -> str:
    return _hex(bloom.to_bytes(BLOOM_BYTES, "big"))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
