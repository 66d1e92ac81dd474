"""The compiled contracts that ship with the gateway, so that running it needs no compiler.

The files are written by ``build.py``, and CI compares them with what the sources compile to.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any, Literal

import attrs
from eth_typing import ABI

ContractName = Literal["SwitchyardCollector", "SwitchyardEscrow", "TestUSDT"]


_WORD = 32


@attrs.frozen
class Artifact:
    """One compiled contract.

    Attributes:
        name: The contract's name in its source.
        compiler: The full version of the compiler, commit included.
        abi: The contract's interface as web3 takes it. Shared between callers: do not change it.
        bytecode: What a deployment sends, before the encoded constructor arguments.
        deployed_bytecode: What the chain stores, with zeros where immutables go.
        immutables: Where each of them goes, a word of 32 bytes, in the order of declaration.
    """

    name: str
    compiler: str
    abi: ABI = attrs.field(repr=False)
    bytecode: bytes = attrs.field(repr=False)
    deployed_bytecode: bytes = attrs.field(repr=False)
    immutables: tuple[tuple[int, ...], ...] = attrs.field(repr=False)

    def deployed(self, *immutables: bytes) -> bytes:
        """Return the very bytes that ``eth_getCode`` returns, by its immutables' words.

        Raises:
            ValueError: it has more of them, or fewer.
        """
        code = bytearray(self.deployed_bytecode)
        for word, places in zip(immutables, self.immutables, strict=True):
            for place in places:
                code[place : place + len(word)] = word
        return bytes(code)

    def is_at(self, code: bytes) -> bool:
        """Tell whether code is this contract's, whatever its immutables are."""
        without = bytearray(code)
        for place in (place for places in self.immutables for place in places):
            without[place : place + _WORD] = bytes(_WORD)
        return bytes(without) == self.deployed_bytecode


@functools.cache
def load(name: ContractName) -> Artifact:
    """Return a committed artifact, read once.

    Args:
        name: The contract's name.

    Returns:
        The artifact; every caller gets the same object.
    """
    text = resources.files(__package__).joinpath("artifacts", f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return Artifact(
        name=document["name"],
        compiler=document["compiler"],
        abi=document["abi"],
        bytecode=bytes.fromhex(document["bytecode"].removeprefix("0x")),
        deployed_bytecode=bytes.fromhex(document["deployed_bytecode"].removeprefix("0x")),
        immutables=tuple(tuple(places) for places in document["immutables"]),
    )
