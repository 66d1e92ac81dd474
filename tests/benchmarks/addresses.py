"""Deposit addresses from an extended public key, beside bip_utils'."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bip_utils import (  # type: ignore[import-untyped]  # It ships no types.
    Bip32Slip10Secp256k1,
    EthAddrEncoder,
)

from adapters.evm.addresses import EXTERNAL_CHAIN, XpubAddresses
from adapters.evm.wallet_seed import account_xpub, new_phrase, seed_of
from tests.benchmarks.report import Figure, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.world import Bench

COMPARED = 50


def measure(bench: Bench) -> Iterator[Figure]:
    """Derive one address after the other."""
    xpub = account_xpub(seed_of(new_phrase()))
    ours = XpubAddresses(xpub).derive
    branch = Bip32Slip10Secp256k1.FromExtendedKey(xpub).ChildKey(EXTERNAL_CHAIN)

    def theirs(index: int) -> str:
        key = branch.ChildKey(index).PublicKey().KeyObject()
        return str(EthAddrEncoder.EncodeKey(key)).lower()

    expect(
        "addresses of bip_utils",
        expected=[theirs(index) for index in range(COMPARED)],
        found=[ours(index) for index in range(COMPARED)],
    )
    per_second, cpu = _rate(ours, bench.seconds / 2)
    yield Figure(
        name="addresses/derive",
        value=per_second,
        unit="addresses/s",
        reference=_rate(theirs, bench.seconds / 2)[0],
        against="bip_utils",
        cpu_seconds=cpu,
    )


def _rate(derive: Callable[[int], str], seconds: float) -> tuple[float, float]:
    """Return addresses per second, and the CPU seconds spent."""
    began, cpu = time.perf_counter(), time.process_time()
    index = 0
    while (took := time.perf_counter() - began) < seconds:
        derive(index)
        index += 1
    return index / took, time.process_time() - cpu
