"""The test jetton that ships compiled: the devnet's USDT, and what its admin tells it.

Messages have the layouts of Tether's jetton (contracts/jetton.tlb of
https://github.com/ton-blockchain/stablecoin-contract), and a wallet can be locked like one of
Tether's: transfers from or to a locked wallet end with exit code 45.

The files are written by ``build.py``, and CI compares them with what the sources compile to.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, Literal

import attrs
from pytoniq_core import Cell, HashMap

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import Writer
from adapters.ton.external import StateInit
from adapters.ton.internal import InternalMessage
from adapters.ton.messages import InternalTransfer

ContractName = Literal["JettonMinter", "JettonWallet"]

MINT: Final = 0x642B7D07
CALL_TO: Final = 0x235CAF52
SET_STATUS: Final = 0xEED236D3

EXIT_LOCKED: Final = 45
EXIT_BALANCE: Final = 47
EXIT_NOT_ENOUGH_GAS: Final = 48
EXIT_NOT_OWNER: Final = 73
EXIT_NOT_VALID_WALLET: Final = 74


class Locked(enum.IntFlag):
    """What a wallet's status keeps it from."""

    NOTHING = 0
    OUTGOING = 1
    INCOMING = 2


@attrs.frozen
class Artifact:
    """One compiled contract.

    Attributes:
        name: The contract's name.
        compiler: The compiler and its version.
        sources_sha256: SHA-256 of each source by file name, in hexadecimal.
        code: What an account runs.
    """

    name: str
    compiler: str
    sources_sha256: Mapping[str, str] = attrs.field(repr=False)
    code: Cell = attrs.field(repr=False)


@functools.cache
def load(name: ContractName) -> Artifact:
    """Return a committed artifact, read once; every caller gets the same object.

    Raises:
        ValueError: the code is not the one whose hash stands beside it.
    """
    text = resources.files(__package__).joinpath("artifacts", f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    code = Cell.one_from_boc(document["code"])
    if code.hash.hex() != document["code_hash"]:
        raise ValueError(f"{name}: the code's hash is {code.hash.hex()}")
    return Artifact(
        name=document["name"],
        compiler=document["compiler"],
        sources_sha256=document["sources_sha256"],
        code=code,
    )


@attrs.frozen(kw_only=True)
class DevnetJetton:
    """A jetton to be: its minter's address follows from its admin and what it says of itself.

    Attributes:
        admin: Who may mint and lock.
        symbol: A ticker; ASCII.
        decimals: How many digits an amount has after the point.
    """

    admin: TonAddress
    symbol: str = "USDT"
    decimals: int = 6

    @property
    def init(self) -> StateInit:
        """The minter's code and first state: no supply, admin, content, the wallets' code."""
        state = (
            Writer()
            .coins(0)
            .address(self.admin)
            .reference(onchain_content({"symbol": self.symbol, "decimals": str(self.decimals)}))
            .reference(load("JettonWallet").code)
            .end()
        )
        return StateInit(load("JettonMinter").code, state)

    @property
    def minter(self) -> TonAddress:
        """Where the minter is."""
        return self.init.address()

    def wallet_init(self, owner: TonAddress) -> StateInit:
        """Return what an owner's wallet begins with: unlocked and empty."""
        code = load("JettonWallet").code
        state = Writer().uint(Locked.NOTHING, 4).coins(0).address(owner).address(self.minter)
        return StateInit(code, state.reference(code).end())

    def wallet(self, owner: TonAddress) -> TonAddress:
        """Return where an owner's wallet is, as the minter's ``get_wallet_address`` does."""
        return self.wallet_init(owner).address()

    def deployment(self, *, attached: int) -> InternalMessage:
        """Return the message, anybody's, that deploys the minter with so many nanotons."""
        return InternalMessage(
            destination=self.minter, value=attached, bounce=False, init=self.init
        )

    def mint(
        self, *, owner: TonAddress, amount: int, attached: int, for_wallet: int, query_id: int = 0
    ) -> InternalMessage:
        """Return the admin's message that mints.

        Args:
            owner: Who gets it.
            amount: In the jetton's smallest unit.
            attached: Nanotons for the minter; more than for the wallet.
            for_wallet: Nanotons of these that go on to the owner's wallet, as its gas and rent.
            query_id: Comes back with the excesses, which go to the admin.
        """
        transfer = InternalTransfer(
            query_id=query_id,
            amount=amount,
            sender=None,
            response_address=self.admin,
            forward_amount=0,
        )
        body = _told_minter(MINT, query_id, owner, for_wallet, transfer.to_cell())
        return self._to_minter(attached, body)

    def lock(
        self,
        *,
        owner: TonAddress,
        status: Locked,
        attached: int,
        for_wallet: int,
        query_id: int = 0,
    ) -> InternalMessage:
        """Return the admin's message that sets what an owner's wallet is kept from."""
        told = Writer().uint(SET_STATUS, 32).uint(query_id, 64).uint(status, 4).end()
        body = _told_minter(CALL_TO, query_id, owner, for_wallet, told)
        return self._to_minter(attached, body)

    def _to_minter(self, attached: int, body: Cell) -> InternalMessage:
        return InternalMessage(destination=self.minter, value=attached, bounce=True, body=body)


def onchain_content(fields: Mapping[str, str]) -> Cell:
    """Return what a jetton says of itself (TEP-64): 0x00 and a dictionary by SHA-256 of names."""
    words = HashMap(256, value_serializer=lambda cell, builder: builder.store_ref(cell))
    for name, text in fields.items():
        key = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
        words.set_int_key(key, Writer().uint(0, 8).snake(text.encode()).end())
    return Writer().uint(0, 8).maybe_reference(words.serialize()).end()


def _told_minter(op: int, query_id: int, owner: TonAddress, for_wallet: int, told: Cell) -> Cell:
    begun = Writer().uint(op, 32).uint(query_id, 64).address(owner)
    return begun.coins(for_wallet).reference(told).end()
