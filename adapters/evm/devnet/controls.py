"""The ``evm_`` methods with which Ganache, Hardhat and Anvil steer a devnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.evm.devnet import arguments
from adapters.evm.devnet.clock import TimestampInThePast
from adapters.evm.devnet.node import DevnetNode, NotThatDeep
from adapters.evm.devnet.protocol import SERVER_ERROR, InvalidParams, RpcError

if TYPE_CHECKING:
    from adapters.evm.devnet.protocol import Method


@attrs.frozen
class ControlMethods:
    """Blocks, time and snapshots on demand."""

    _node: DevnetNode

    def table(self) -> dict[str, Method]:
        """Return the methods under their JSON-RPC names."""
        return {
            "evm_mine": self.mine,
            "evm_increaseTime": self.increase_time,
            "evm_setNextBlockTimestamp": self.set_next_timestamp,
            "evm_setAutomine": self.set_automine,
            "evm_snapshot": lambda: hex(self._node.snapshot()),
            "evm_revert": self.revert,
            "anvil_reorg": self.reorg,
        }

    def mine(self, options: object = None) -> str:
        """Mine one block, at a timestamp if one is given, or ``{"blocks": n}`` of them."""
        blocks, timestamp = 1, options
        if isinstance(options, dict):
            blocks = arguments.count(options.get("blocks", 1), "blocks")
            timestamp = options.get("timestamp")
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        try:
            self._node.mine(blocks=blocks)
        except ValueError as error:
            raise InvalidParams(str(error)) from error
        return "0x0"

    def increase_time(self, seconds: object) -> int:
        """Move the clock forward; the whole offset in seconds is the answer."""
        return self._node.increase_time(seconds=arguments.count(seconds, "seconds"))

    def set_next_timestamp(self, timestamp: object) -> None:
        """Give the next block a time in Unix seconds."""
        try:
            self._node.set_next_timestamp(arguments.count(timestamp, "timestamp"))
        except TimestampInThePast as error:
            raise RpcError(SERVER_ERROR, str(error)) from error

    def set_automine(self, enabled: object) -> None:
        """Mine on every transaction, or only at intervals and on demand."""
        self._node.automine = arguments.flag(enabled, "enabled")

    def revert(self, snapshot_id: object) -> bool:
        """Go back to a snapshot; false if it is not there any more."""
        return self._node.revert(arguments.count(snapshot_id, "snapshot"))

    def reorg(self, depth: object, _transactions: object = None) -> None:
        """Replace the newest blocks by empty ones."""
        try:
            self._node.reorg(depth=arguments.count(depth, "depth"))
        except NotThatDeep as error:
            raise InvalidParams(str(error)) from error
