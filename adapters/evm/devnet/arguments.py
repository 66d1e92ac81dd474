"""What clients send, decoded strictly: quantities, data, addresses, block tags, calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
from eth_typing import Address

from adapters.evm.devnet.protocol import SERVER_ERROR, InvalidParams, RpcError

if TYPE_CHECKING:
    from eth.abc import BlockHeaderAPI

    from adapters.evm.devnet.node import DevnetNode

ADDRESS_BYTES = 20
WORD_BYTES = 32

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")


@attrs.frozen(kw_only=True)
class CallRequest:
    """A message to run without a transaction and without paying; no `gas` means all there is."""

    sender: Address
    to: Address
    gas: int | None
    value: int
    data: bytes
    access_list: tuple[tuple[Address, tuple[int, ...]], ...]


def quantity(value: object, name: str) -> int:
    """Decode an unsigned integer such as ``0x1f``: no leading zero, at most 256 bits."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise InvalidParams(f"invalid argument {name}: {value!r} is not a hex quantity")
    return int(value, 16)


def count(value: object, name: str) -> int:
    """Decode an integer given either as a quantity or, as devnet tools do, as a JSON number."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return quantity(value, name)


def data(value: object, name: str) -> bytes:
    """Decode bytes such as ``0x00ff``."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise InvalidParams(f"invalid argument {name}: not 0x and whole bytes in hex")
    return bytes.fromhex(value[2:])


def sized(value: object, size: int, name: str) -> bytes:
    """Decode bytes of one length."""
    decoded = data(value, name)
    if len(decoded) != size:
        raise InvalidParams(f"invalid argument {name}: {size} bytes wanted, not {len(decoded)}")
    return decoded


def address(value: object, name: str = "address") -> Address:
    """Decode an address; its checksum is the client's business, as for geth."""
    return Address(sized(value, ADDRESS_BYTES, name))


def flag(value: object, name: str) -> bool:
    """Decode true or false."""
    if not isinstance(value, bool):
        raise InvalidParams(f"invalid argument {name}: true or false wanted")
    return value


def block_number(node: DevnetNode, value: object) -> int:
    """Decode a height or a tag; the height may be above the head.

    ``pending`` is the head: a transaction is mined as it arrives, so nothing lies between.
    """
    head = node.chain.head.block_number
    tags = {
        None: head,
        "latest": head,
        "pending": head,
        "earliest": 0,
        "safe": node.safe_number,
        "finalized": node.finalized_number,
    }
    if value is None or isinstance(value, str):
        number = tags.get(value)
        if number is not None:
            return number
    return quantity(value, "block")


def block(node: DevnetNode, value: object) -> BlockHeaderAPI | None:
    """Find the block of a height, a tag or an EIP-1898 object; None if there is none."""
    if isinstance(value, dict):
        if "blockHash" in value:
            return node.chain.canonical_header(sized(value["blockHash"], WORD_BYTES, "blockHash"))
        value = value.get("blockNumber")
    block_hash = node.chain.hash_at(block_number(node, value))
    return None if block_hash is None else node.chain.header_by_hash(block_hash)


def existing_block(node: DevnetNode, value: object) -> BlockHeaderAPI:
    """Find a block as `block` does, or refuse with geth's words."""
    header = block(node, value)
    if header is None:
        raise RpcError(SERVER_ERROR, "header not found")
    return header


def call(value: object) -> CallRequest:
    """Decode the transaction object of ``eth_call`` and ``eth_estimateGas``."""
    if not isinstance(value, dict):
        raise InvalidParams("invalid argument 0: an object wanted")
    payload = value.get("input", value.get("data"))
    gas = value.get("gas")
    to = value.get("to")
    sender = value.get("from")
    return CallRequest(
        sender=Address(bytes(ADDRESS_BYTES)) if sender is None else address(sender, "from"),
        to=Address(b"") if to is None else address(to, "to"),
        gas=None if gas is None else quantity(gas, "gas"),
        value=quantity(value.get("value") or "0x0", "value"),
        data=b"" if payload is None else data(payload, "data"),
        access_list=_access_list(value.get("accessList")),
    )


def _access_list(value: object) -> tuple[tuple[Address, tuple[int, ...]], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidParams("invalid argument accessList: a list of objects wanted")
    return tuple(
        (
            address(one.get("address")),
            tuple(
                int.from_bytes(sized(key, WORD_BYTES, "storageKeys"), "big")
                for key in one.get("storageKeys") or ()
            ),
        )
        for one in value
    )
