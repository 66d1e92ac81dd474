"""What payers, merchants and miners do on the chain, without the gateway knowing."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import HexStr
from web3 import AsyncWeb3
from web3.types import Wei

from adapters.evm.devnet.devnet import Devnet
from adapters.evm.wallet import PayerWallet
from config.demo.record import Demo

DUE = 25_000_000
"""What an intent of 25.00 USD costs in test USDT, in smallest units."""
PURSE = 500_000 * 10**6
"""What the payer begins with, in the token's smallest unit."""
ALLOWANCE = 2**256 - 1
GAS_LIMIT = 400_000
TILL_WEI = 10**16
"""What a till needs to send one transaction."""


@attrs.frozen
class Till:
    """A wallet that a merchant is paid out to, and that he spends from."""

    account: LocalAccount

    @property
    def address(self) -> str:
        return str(self.account.address).lower()


@attrs.frozen(kw_only=True)
class Outside:
    """A devnet that mines on every transaction, and the payer of all intents."""

    demo: Demo
    devnet: Devnet
    payer: PayerWallet

    async def fill_purse(self) -> None:
        """Give the payer money, and let the contract take it for good."""
        await self.payer.mint(token=self.demo.token, amount=PURSE)
        contract = AsyncWeb3.to_checksum_address(self.demo.escrow_contract)
        await self.call(self.demo.token, self._token.encode_abi("approve", [contract, ALLOWANCE]))

    async def transfer(self, target: str, amount: int = DUE) -> None:
        await self.call(self.demo.token, self._transfer_call(target, amount))

    async def call(self, target: str, data: str) -> None:
        await self.payer.send(
            {
                "to": AsyncWeb3.to_checksum_address(target),
                "data": HexStr(data),
                "gas": GAS_LIMIT,  # Estimating takes as long as all the rest.
                "value": Wei(0),
            }
        )

    async def mine(self, blocks: int = 3) -> None:
        """Mine blocks; after three everything sent before is final."""
        await asyncio.to_thread(self.devnet.mine, blocks=blocks)

    async def mine_everything(self) -> None:
        """Mine what waits, and on every transaction from now on."""
        await asyncio.to_thread(self.devnet.set_automine, enabled=True)
        await self.mine()

    async def reorg(self) -> None:
        """Replace the newest block by an empty one; its transactions are gone."""
        await asyncio.to_thread(self.devnet.reorg, depth=1)

    async def new_till(self) -> Till:
        """Return a wallet with one unit of the token and the coins to send it away."""
        till = Till(Account.create())
        await self.payer.transfer_native(target=till.address, wei=TILL_WEI)
        await self.transfer(till.address, 1)
        return till

    async def empty_at_next_block(self, till: Till) -> None:
        """Have a till send its unit away, and mine no more until told to."""
        await asyncio.to_thread(self.devnet.set_automine, enabled=False)
        token, eth = AsyncWeb3.to_checksum_address(self.demo.token), self.payer.web3.eth
        signed = till.account.sign_transaction(
            {
                "to": token,
                "data": HexStr(self._transfer_call(self.payer.address, 1)),
                "gas": GAS_LIMIT,
                "gasPrice": 2 * await eth.gas_price,
                "nonce": 0,
                "chainId": await eth.chain_id,
                "value": Wei(0),
            }
        )
        await eth.send_raw_transaction(signed.raw_transaction)

    async def held(self, address: str) -> int:
        """Return what an address holds of the token."""
        token = self._token
        holder = AsyncWeb3.to_checksum_address(address)
        return int(await token.functions.balanceOf(holder).call())

    def _transfer_call(self, target: str, amount: int) -> str:
        recipient = AsyncWeb3.to_checksum_address(target)
        token = self._token
        return str(token.encode_abi("transfer", [recipient, amount]))

    async def sent_by_wallet(self) -> int:
        """Return how many transactions the gateway's wallet has sent."""
        wallet = AsyncWeb3.to_checksum_address(self.demo.hot_wallet)
        return int(await self.payer.web3.eth.get_transaction_count(wallet, "pending"))

    async def pass_time(self, seconds: int) -> None:
        """Move the clock of the next blocks forward."""
        await asyncio.to_thread(self.devnet.increase_time, seconds=seconds)

    @property
    def _token(self) -> Any:  # noqa: ANN401 (a contract has whatever functions its ABI names)
        return self.payer._token(self.demo.token)
