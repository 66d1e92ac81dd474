from __future__ import annotations

import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.highload import HighloadBatch
from adapters.ton.signed_messages import TonBatchReader, TonSweepReader
from domain.shared.money import AssetId, ChainId, Money
from domain.signing.model import Act, Movement
from ports.signer import SigningRefused
from tests.adapters.ton.test_signer import ADA, COINS, JETTONS, WALLET, jettons

CHAIN = ChainId("ton:-3")
COIN, USDT = AssetId("ton:-3/slip44:607"), AssetId("ton:-3/jetton:kQAB")
READER = TonBatchReader(CHAIN, wallet=WALLET, jetton_wallets={JETTONS.raw: USDT})


def batch(*transfers: object) -> bytes:
    made = HighloadBatch(
        query=0,
        created_at=1,
        transfers=transfers,  # type: ignore[arg-type]  # They are messages.
        allowance=100,
    )
    octets: bytes = WALLET.unsigned(made).to_boc()
    return octets


def test_every_transfer_of_a_batch_is_told() -> None:
    read = READER.read(batch(COINS, jettons(ADA, None, attached=10)), sender=WALLET.address.raw)

    coins, tokens = read.movements
    assert coins == Movement(Act.PAYOUT, Money(5, COIN), ADA.raw)
    assert (tokens.act, tokens.money.asset, tokens.target) == (Act.PAYOUT, USDT, ADA.raw)
    # What goes along with jettons is spent as much as what the network takes.
    assert read.fee == Money(110, COIN)
    assert read.slot is None


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(SigningRefused, match="no bag of cells"):
        READER.read(b"hello", sender=WALLET.address.raw)
    with pytest.raises(SigningRefused, match="is not sent by"):
        READER.read(batch(COINS), sender=ADA.raw)
    unknown = TonBatchReader(CHAIN, wallet=WALLET, jetton_wallets={})
    with pytest.raises(SigningRefused, match="no jetton wallet of ours"):
        unknown.read(batch(jettons(ADA, None)), sender=WALLET.address.raw)


def test_a_sweep_is_left_to_its_signer() -> None:
    read = TonSweepReader(CHAIN).read(batch(COINS), sender=TonAddress(0, b"\1" * 32).raw)

    assert read.movements == ()
    with pytest.raises(SigningRefused):
        TonSweepReader(CHAIN).read(b"", sender="")
