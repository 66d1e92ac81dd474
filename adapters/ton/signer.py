"""Signers whose keys are in this process. Each reads what it signs, and signs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from pytoniq_core import Cell
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import Writer
from adapters.ton.deposit_wallet import DepositWallets
from adapters.ton.highload import DEFAULT_SUBWALLET, HighloadWallet
from adapters.ton.key_file import public_key, read_key_file
from adapters.ton.messages import JettonTransfer
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.ton.deposit_wallet import Sweep
    from adapters.ton.internal import InternalMessage

ATTACHED_MAX: Final = 10**9
"""Nanotons that may go along with one transfer of jettons: some ten times what it takes."""


class LocalHighloadSigner:
    """Signs batches of one highload wallet; implements `ports.signer.Signer`.

    It reads every batch before it signs: transfers of coins, which do not bounce and deploy
    nothing, and transfers of jettons, with no more coins than these take.
    """

    def __init__(
        self,
        seed: bytes,
        *,
        timeout_seconds: int,
        subwallet_id: int = DEFAULT_SUBWALLET,
        allowance_max: int | None = None,
        attached_max: int = ATTACHED_MAX,
    ) -> None:
        """Take a key.

        Args:
            seed: Of the Ed25519 key, 32 bytes.
            timeout_seconds: The wallet's; its address depends on it.
            subwallet_id: The same.
            allowance_max: The most nanotons a batch may spend on its way, or None for no limit.
            attached_max: The most that may go along with one transfer of jettons.

        Raises:
            ValueError: it is no seed. The message does not show it.
        """
        self.wallet: Final = HighloadWallet(
            public_key=public_key(seed), timeout_seconds=timeout_seconds, subwallet_id=subwallet_id
        )
        self.address: str = self.wallet.address.raw
        self._seed: Final = seed
        self._allowance_max: Final = allowance_max
        self._attached_max: Final = attached_max

    @classmethod
    def from_file(
        cls,
        path: Path,
        *,
        timeout_seconds: int,
        subwallet_id: int = DEFAULT_SUBWALLET,
        allowance_max: int | None = None,
    ) -> Self:
        """Read the key from a file of mode 0600 that holds 64 hexadecimal digits.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        return cls(
            read_key_file(path),
            timeout_seconds=timeout_seconds,
            subwallet_id=subwallet_id,
            allowance_max=allowance_max,
        )

    def __repr__(self) -> str:
        return f"LocalHighloadSigner({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return the body of the message from outside, as a bag of cells.

        Args:
            unsigned: `HighloadWallet.unsigned`, as a bag of cells.

        Raises:
            MalformedCell: it is no batch of this wallet.
            SigningRefused: the batch sends something that is no payout, or may cost too much.
        """
        cell = _cell(unsigned)
        batch = self.wallet.read(cell)
        if self._allowance_max is not None and batch.allowance > self._allowance_max:
            raise SigningRefused(f"may cost {batch.allowance} nanotons")
        if batch.allowance < 0:
            raise SigningRefused("gives its transfers less than they send")
        for transfer in batch.transfers:
            self._check(transfer)
        return _signed(Writer().octets(_signature(self._seed, cell)).reference(cell))

    def _check(self, transfer: InternalMessage) -> None:
        if transfer.init is not None:
            raise SigningRefused("deploys a contract")
        if not transfer.bounce:
            return
        if JettonTransfer.parse(transfer.body) is None:
            raise SigningRefused("calls a contract")
        if transfer.value > self._attached_max:
            raise SigningRefused(f"takes {transfer.value} nanotons along")


class LocalDepositSigner:
    """Signs sweeps of deposit wallets; see `ports.signer.DepositSigner`.

    Whoever can make it sign anything can still only move coins and jettons to the hot wallet, and
    burn a limited amount of coins by each message.
    """

    def __init__(
        self, seed: bytes, *, hot_wallet: str, base: int = 0, attached_max: int = ATTACHED_MAX
    ) -> None:
        """Take the key that all deposit wallets share.

        Args:
            seed: Of the Ed25519 key, 32 bytes.
            hot_wallet: The raw address that everything is sent to.
            base: The subwallet id of the wallet at place 0.
            attached_max: The most nanotons that may go along with a transfer of jettons.

        Raises:
            ValueError: it is no seed. The message does not show it.
        """
        self.wallets: Final = DepositWallets(public_key=public_key(seed), base=base)
        """Their public side."""
        self._seed: Final = seed
        self._hot_wallet: Final = TonAddress.parse_raw(hot_wallet)
        self._attached_max: Final = attached_max

    @classmethod
    def from_file(cls, path: Path, *, hot_wallet: str, base: int = 0) -> Self:
        """Read the key from a file of mode 0600 that holds 64 hexadecimal digits.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        return cls(read_key_file(path), hot_wallet=hot_wallet, base=base)

    def __repr__(self) -> str:
        return "LocalDepositSigner()"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return the body of the message from outside, as a bag of cells.

        Args:
            unsigned: `DepositWallet.unsigned`, as a bag of cells.
            source: The wallet's raw address.
            index: Its place.

        Raises:
            IndexOutOfRange: there is no such place.
            MalformedCell: it is no sweep of this wallet.
            SigningRefused: it does not go to the hot wallet, or the place is another's.
        """
        wallet, cell = self.wallets.at(index), _cell(unsigned)
        if wallet.address.raw != source:
            raise SigningRefused(f"place {index} is not that of {source}")
        self._check(wallet.read(cell), wallet.address)
        return _signed(Writer().octets(_signature(self._seed, cell)).contents(cell))

    def _check(self, sweep: Sweep, source: TonAddress) -> None:
        message = sweep.message
        if message.init is not None:
            raise SigningRefused("deploys a contract")
        if not message.bounce:
            if message.destination != self._hot_wallet:
                raise SigningRefused("does not go to the hot wallet")
            return
        transfer = JettonTransfer.parse(message.body)
        if transfer is None or sweep.takes_everything or message.value > self._attached_max:
            raise SigningRefused("is no transfer of jettons with the coins that it takes")
        if transfer.destination != self._hot_wallet:
            raise SigningRefused("does not go to the hot wallet")
        if transfer.response_destination not in (source, self._hot_wallet):
            raise SigningRefused("leaves what is left over to somebody")
        if transfer.custom_payload is not None or transfer.forward_amount:
            raise SigningRefused("says more than a sweep does")


def _cell(octets: bytes) -> Cell:
    try:
        return Cell.one_from_boc(octets)
    # pytoniq-core has no error of its own for what it cannot read.
    except Exception as error:
        raise SigningRefused("no bag of cells") from error


def _signature(seed: bytes, cell: Cell) -> bytes:
    _, secret = crypto_sign_seed_keypair(seed)
    return bytes(sign_message(cell.hash, secret))


def _signed(body: Writer) -> bytes:
    octets: bytes = body.end().to_boc()
    return octets
