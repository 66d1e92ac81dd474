from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.money import Money
from tests.adapters.evm.local_chain import MERCHANT, NATIVE, PAYER, STRANGER, address

if TYPE_CHECKING:
    from tests.adapters.evm.local_chain import LocalChain


async def test_pays_a_token_into_escrow(chain: LocalChain) -> None:
    wallet = await chain.funded(30_000_000)
    terms = await chain.terms()

    await chain.pay(terms)

    assert await wallet.balance(token=chain.token) == 5_000_000


async def test_pays_native_coin_into_escrow(chain: LocalChain) -> None:
    terms = await chain.terms(money=Money(10**16, NATIVE))

    await chain.pay(terms)

    assert int(await chain.control("eth_getBalance", chain.escrow, "latest"), 16) == 10**16


async def test_sends_tokens_and_native_coin(chain: LocalChain) -> None:
    wallet = await chain.funded(10)
    stranger = await chain.wallet(STRANGER)
    before = await stranger.balance()

    await wallet.transfer(token=chain.token, target=address(STRANGER), amount=4)
    await wallet.transfer_native(target=address(STRANGER), wei=7)

    assert await stranger.balance(token=chain.token) == 4
    assert await stranger.balance() == before + 7


async def test_returns_the_hash_of_the_payment(chain: LocalChain) -> None:
    await chain.funded()

    paid = await chain.pay(await chain.terms())

    receipt = await chain.control("eth_getTransactionReceipt", paid)
    assert receipt["from"].lower() == address(PAYER)
    assert receipt["to"].lower() == chain.escrow


async def test_the_merchant_named_in_the_terms_is_paid_on_release(chain: LocalChain) -> None:
    await chain.funded()
    terms = await chain.terms()
    await chain.pay(terms)

    await chain.act(PAYER, "release", terms)

    merchant = await chain.wallet(MERCHANT)
    assert await merchant.balance(token=chain.token) == 24_750_000
