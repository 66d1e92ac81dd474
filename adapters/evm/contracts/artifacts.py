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

ContractName = Literal["SwitchyardEscrow", "TestUSDT"]


@attrs.frozen
class Artifact:
    """One compiled contract.

    Attributes:
        name: The contract's name in its source.
        compiler: The full version of the compiler, commit included.
        abi: The contract's interface as web3 takes it. Shared between callers: do not change it.
        bytecode: What a deployment sends, before the encoded constructor arguments.
        deployed_bytecode: What the chain stores; the contracts have no immutables, so these are
            the very bytes ``eth_getCode`` returns.
    """

    name: str
    compiler: str
    abi: ABI = attrs.field(repr=False)
    bytecode: bytes = attrs.field(repr=False)
    deployed_bytecode: bytes = attrs.field(repr=False)


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
    )
