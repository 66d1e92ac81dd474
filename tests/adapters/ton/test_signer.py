"""The signers: what they sign is what they have read, and nothing else."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import attrs
import pytest
from pytoniq_core import Cell

from adapters.system.secret_files import KeyFileRefused
from adapters.ton.addresses import TonAddress
from adapters.ton.cells import Reader, Writer
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.external import StateInit
from adapters.ton.highload import HighloadBatch, HighloadWallet
from adapters.ton.internal import coin_transfer, jetton_transfer
from adapters.ton.key_file import create_key_file, public_key, read_key_file
from adapters.ton.messages import JettonTransfer
from adapters.ton.signer import LocalDepositSigner, LocalHighloadSigner
from tests.adapters.ton.strategies import KEY
from tests.contracts.signer import SignerContract

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.ton.internal import InternalMessage
    from ports.signer import Signer

TIMEOUT = 3_600
WALLET = HighloadWallet(public_key=public_key(KEY), timeout_seconds=TIMEOUT)
DEPOSITS = DepositWallets(public_key=public_key(KEY))
ADA, JETTONS = TonAddress(0, b"\xad" * 32), TonAddress(0, b"\x77" * 32)
COINS = coin_transfer(destination=ADA, amount=5, bounce=False, memo="for you")


def jettons(
    destination: TonAddress, response: TonAddress | None, *, attached: int = 10, forward: int = 0
) -> InternalMessage:
    transfer = JettonTransfer(
        query_id=0,
        amount=3,
        destination=destination,
        response_destination=response,
        forward_amount=forward,
    )
    return jetton_transfer(jetton_wallet=JETTONS, attached=attached, transfer=transfer)


def batch(*transfers: InternalMessage, allowance: int = 100, query: int = 1) -> Cell:
    return WALLET.unsigned(
        HighloadBatch(query=query, created_at=9, transfers=transfers, allowance=allowance)
    )


def sweep(message: InternalMessage, *, everything: bool = False, index: int = 4) -> Cell:
    told = Sweep(message=message, seqno=0, valid_until=99, takes_everything=everything)
    return DEPOSITS.at(index).unsigned(told)


@pytest.fixture
def hot() -> LocalHighloadSigner:
    return LocalHighloadSigner(KEY, timeout_seconds=TIMEOUT, allowance_max=1_000)


@pytest.fixture
def deposits() -> LocalDepositSigner:
    return LocalDepositSigner(KEY, hot_wallet=WALLET.address.raw)


class TestContract(SignerContract):
    @pytest.fixture
    def signer(self, hot: LocalHighloadSigner) -> LocalHighloadSigner:
        return hot

    @pytest.fixture
    def unsigned(self) -> list[bytes]:
        return [batch(COINS).to_boc(), batch(COINS, query=2).to_boc()]

    def test_the_address_is_one(self, signer: Signer) -> None:
        assert TonAddress.parse_raw(signer.address) == WALLET.address


def test_payouts_are_signed_with_the_wallets_key(hot: LocalHighloadSigner) -> None:
    unsigned = batch(COINS, jettons(ADA, WALLET.address))
    body = Cell.one_from_boc(hot.sign_transaction(unsigned.to_boc()))
    signature = Reader(body).octets(64)
    message = WALLET.signed(unsigned, signature=signature, deploy=False)
    assert message.body.hash == body.hash


@pytest.mark.parametrize(
    "unsigned",
    [
        batch(attrs.evolve(COINS, bounce=True)),
        batch(attrs.evolve(COINS, init=StateInit(Cell.empty(), Cell.empty()))),
        batch(jettons(ADA, WALLET.address, attached=2 * 10**9)),
        batch(COINS, allowance=1_001),
        attrs.evolve(WALLET, subwallet_id=1).unsigned(
            HighloadBatch(query=1, created_at=9, transfers=(COINS,), allowance=1)
        ),
        sweep(COINS),
        Writer().uint(7, 32).end(),
    ],
    ids=["a call", "a deployment", "coins along", "allowance", "another's", "a sweep", "junk"],
)
def test_no_batch_but_of_payouts_is_signed(hot: LocalHighloadSigner, unsigned: Cell) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each reason has its own kind)
        hot.sign_transaction(unsigned.to_boc())


def test_sweeps_to_the_hot_wallet_are_signed(deposits: LocalDepositSigner) -> None:
    wallet = DEPOSITS.at(4)
    home = coin_transfer(destination=WALLET.address, amount=5, bounce=False)
    for unsigned in (
        sweep(home),
        sweep(attrs.evolve(home, value=0), everything=True),
        sweep(jettons(WALLET.address, wallet.address)),
        sweep(jettons(WALLET.address, WALLET.address)),
    ):
        octets = deposits.sign_sweep(unsigned.to_boc(), source=wallet.address.raw, index=4)
        signature = Reader(Cell.one_from_boc(octets)).octets(64)
        assert wallet.signed(unsigned, signature=signature).destination == wallet.address


@pytest.mark.parametrize(
    ("unsigned", "index"),
    [
        (sweep(COINS), 4),
        (sweep(attrs.evolve(COINS, value=0), everything=True), 4),
        (sweep(jettons(ADA, DEPOSITS.at(4).address)), 4),
        (sweep(jettons(WALLET.address, ADA)), 4),
        (sweep(jettons(WALLET.address, None)), 4),
        (sweep(jettons(WALLET.address, WALLET.address, attached=2 * 10**9)), 4),
        (sweep(jettons(WALLET.address, WALLET.address, forward=1)), 4),
        (sweep(attrs.evolve(jettons(WALLET.address, None), value=0), everything=True), 4),
        (sweep(attrs.evolve(COINS, destination=WALLET.address, bounce=True)), 4),
        (sweep(coin_transfer(destination=WALLET.address, amount=5, bounce=False), index=5), 4),
        (sweep(coin_transfer(destination=WALLET.address, amount=5, bounce=False)), 5),
        (sweep(coin_transfer(destination=WALLET.address, amount=5, bounce=False)), 2**32),
        (batch(COINS), 4),
    ],
)
def test_nothing_but_sweeps_to_the_hot_wallet_is_signed(
    deposits: LocalDepositSigner, unsigned: Cell, index: int
) -> None:
    source = DEPOSITS.at(4).address.raw
    with pytest.raises(ValueError):  # noqa: PT011 (each reason has its own kind)
        deposits.sign_sweep(unsigned.to_boc(), source=source, index=index)


def test_a_key_is_made_once_and_read_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "hot.key"
    public = create_key_file(path)
    assert public_key(read_key_file(path)) == public
    signer = LocalHighloadSigner.from_file(path, timeout_seconds=TIMEOUT)
    assert signer.wallet.public_key == public
    home = LocalDepositSigner.from_file(path, hot_wallet=signer.address)
    assert home.wallets.public_key == public
    with pytest.raises(FileExistsError):
        create_key_file(path)


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "11" * 31, "11" * 33])
def test_what_holds_no_key_is_refused_and_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hot.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused) as refusal:
        read_key_file(path)
    assert refusal.value.__cause__ is None
    assert not content or content not in str(refusal.value)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hot.key"
    create_key_file(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    path.chmod(0o640)
    for wrong in (path, link, tmp_path / "missing", tmp_path):
        with pytest.raises(KeyFileRefused):
            read_key_file(wrong)


def test_a_signer_neither_shows_its_key_nor_leaves(
    hot: LocalHighloadSigner, deposits: LocalDepositSigner
) -> None:
    for signer in (hot, deposits):
        assert KEY.hex() not in repr(signer)
        with pytest.raises(TypeError):
            pickle.dumps(signer)
    with pytest.raises(ValueError, match="32 bytes"):
        LocalHighloadSigner(b"short", timeout_seconds=TIMEOUT)
