"""What a demo is made of at its first start: keys, contracts, money to pay with, a merchant."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import attrs
from web3 import AsyncWeb3
from web3.exceptions import BlockNotFound
from web3.types import Wei

from adapters.evm.deploy import Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.signer import LocalSigner, create_key_file
from adapters.evm.wallet_seed import account_xprv, account_xpub, new_phrase, seed_of
from config.bootstrap import operator
from config.demo import ton
from config.demo.parts import ARBITER, DEPLOYER, MERCHANT, PAYERS, TREASURY, payer
from config.demo.record import Demo, write_private
from config.demo.running import settings_of
from config.key_ring import add_key
from config.settings import structure
from config.signing import create_statement_key
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from domain.shared.money import ChainId

if TYPE_CHECKING:
    from adapters.evm.web3_account import Web3Account
    from config.demo.record import Directory, Ports
    from config.settings import Settings

FEE_BPS = 250
"""2.5 %, what the platform takes where a merchant has no schedule of his own."""
HOT_WALLET_WEI = 100 * 10**18
PAYER_UNITS = 10_000 * 10**6


@attrs.frozen
class OtherChain(Exception):
    """The node's chain is not the one that this data directory belongs to."""

    url: str
    directory: str


async def provision(
    directory: Directory, *, rpc_url: str, dsn: str, ports: Ports, with_ton: bool = False
) -> Demo:
    """Make what is not there yet: keys, contracts, money to pay with, a merchant and his API key.

    ``with_ton`` says whether a TON chain runs. A demo that has begun without one stays so.

    Raises:
        OtherChain: contracts were deployed before, and are not on this chain.
        ChainUnavailable: the node does not answer.
    """
    known = directory.load()
    if known is None:
        demo = await _make(directory, rpc_url, with_ton=with_ton)
        directory.save(demo)
    else:
        demo = attrs.evolve(known, rpc_url=rpc_url)
        _keys(directory)
        await _must_be_there(demo, directory)
    if not demo.api_key:
        settings = structure(
            settings_of(
                demo,
                directory=directory,
                dsn=dsn,
                ports=ports,
                brisk=False,
                signs=False,
                with_ton=with_ton,
            )
        )
        demo = await _seed_merchant(demo, settings)
    directory.save(demo)
    return demo


async def _make(directory: Directory, rpc_url: str, *, with_ton: bool) -> Demo:
    """Make what is on the chains, on both at once."""
    if not with_ton:
        return await _deploy(directory, rpc_url)
    demo, on_ton = await asyncio.gather(_deploy(directory, rpc_url), ton.provision(directory.ton))
    return attrs.evolve(demo, ton=on_ton)


async def _deploy(directory: Directory, rpc_url: str) -> Demo:
    accounts = devnet_accounts()
    hot_wallet, xpub = _keys(directory)
    async with Deployer(rpc_url, accounts[DEPLOYER].private_key) as deployer:
        token = await deployer.deploy_token()
        escrow = await deployer.deploy_escrow(
            operator=hot_wallet,
            arbiter=accounts[ARBITER].address,
            treasury=accounts[TREASURY].address,
        )
        holders = {accounts[number].address: PAYER_UNITS for number in PAYERS}
        await deployer.mint(token.address, holders=holders)
        await deployer.send(
            {"to": AsyncWeb3.to_checksum_address(hot_wallet), "value": Wei(HOT_WALLET_WEI)}
        )
        chain_id = await deployer.web3.eth.chain_id
        first_block_hash = await _block_hash(deployer, escrow.block)
    return Demo(
        chain=f"eip155:{chain_id}",
        rpc_url=rpc_url,
        escrow_contract=escrow.address,
        token=token.address,
        hot_wallet=hot_wallet,
        first_block=escrow.block,
        first_block_hash=first_block_hash,
        xpub=xpub,
        cursor_key=secrets.token_hex(32),
    )


def _keys(directory: Directory) -> tuple[str, str]:
    """Return the hot wallet's address and the deposit addresses' public key.

    Keys that a start which did not get to its end has left behind are used again.
    """
    if not directory.hot_wallet.exists():
        create_key_file(directory.hot_wallet)
    hot_wallet = LocalSigner.from_file(directory.hot_wallet, chain_id=1).address
    if not directory.deposit_phrase.exists():
        write_private(directory.deposit_phrase, new_phrase() + "\n")
    if not directory.statement_key.exists():
        create_statement_key(directory.statement_key)
    if not directory.key_ring.exists():
        add_key(directory.key_ring)
    seed = seed_of(directory.deposit_phrase.read_text().strip())
    if not directory.deposit_key.exists():
        write_private(directory.deposit_key, account_xprv(seed) + "\n")
    return hot_wallet, account_xpub(seed)


async def _must_be_there(demo: Demo, directory: Directory) -> None:
    async with payer(demo, 0) as wallet:
        if await _block_hash(wallet, demo.first_block) != demo.first_block_hash:
            raise OtherChain(demo.rpc_url, str(directory.root))


async def _block_hash(account: Web3Account, number: int) -> str:
    """Return the name of the block that has a number, or nothing where there is none."""
    with suppress(BlockNotFound):
        block = await account.web3.eth.get_block(number)
        return str(block["hash"].to_0x_hex())
    return ""


async def _seed_merchant(demo: Demo, settings: Settings) -> Demo:
    services = operator(settings)
    wallet = devnet_accounts()[MERCHANT].address.lower()
    destinations = {ChainId(demo.chain): wallet}
    if demo.ton is not None:
        destinations[ChainId(ton.CHAIN)] = demo.ton.merchant_wallet
    async with AsyncExitStack() as stack:
        for resource in services.resources:
            await stack.enter_async_context(resource)
        for chain in services.chains:
            await services.books.book_gas(chain=chain)
        merchant = await services.merchants.register(
            name="Demo merchant",
            fees=FeeSchedule(FEE_BPS),
            payouts=PayoutTerms(destinations=destinations),
        )
        key = await services.merchants.issue_key(merchant_id=merchant.id)
    return attrs.evolve(demo, merchant_id=merchant.id, merchant_wallet=wallet, api_key=key)
