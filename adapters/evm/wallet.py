"""A payer's wallet, for the demo and for tests: it does what a buyer's browser wallet does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_typing import HexStr
from web3 import AsyncWeb3
from web3.types import Wei

from adapters.evm.contracts import artifacts
from adapters.evm.web3_account import Web3Account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from web3.contract import AsyncContract

    from domain.escrow.model import WalletCall

_TOKEN: Final = artifacts.load("TestUSDT").abi
"""Any ERC-20 token's functions; on this one they return nothing, which web3 does not mind."""


class PayerWallet(Web3Account):
    """Pays from one key, one transaction after the other; returns hashes of mined transactions.

    Addresses may be lower case. Every method raises what `Web3Account.send` raises.
    """

    async def pay(self, calls: Sequence[WalletCall]) -> str:
        """Pay into escrow by the calls that the gateway hands out; return the last one's hash.

        Raises:
            ValueError: there are no calls.
        """
        hashes = [
            await self.call(target=call.target, data=call.data, value=call.value) for call in calls
        ]
        if not hashes:
            raise ValueError("no calls, no payment")
        return hashes[-1]

    async def call(self, *, target: str, data: str, value: int = 0) -> str:
        """Call any contract with given data and wei."""
        receipt = await self.send(
            {
                "to": AsyncWeb3.to_checksum_address(target),
                "data": HexStr(data),
                "value": Wei(value),
            }
        )
        return receipt["transactionHash"].to_0x_hex()

    async def transfer(self, *, token: str, target: str, amount: int) -> str:
        """Send tokens, in their smallest unit."""
        recipient = AsyncWeb3.to_checksum_address(target)
        data = self._token(token).encode_abi("transfer", [recipient, amount])
        return await self.call(target=token, data=data)

    async def transfer_native(self, *, target: str, wei: int) -> str:
        """Send the chain's native coin."""
        return await self.call(target=target, data="0x", value=wei)

    async def mint(self, *, token: str, amount: int) -> str:
        """Give itself test tokens; real tokens do not allow that."""
        account = AsyncWeb3.to_checksum_address(self.address)
        data = self._token(token).encode_abi("mint", [account, amount])
        return await self.call(target=token, data=data)

    async def balance(self, *, token: str | None = None) -> int:
        """Return what the wallet holds of a token, or of the native coin in wei."""
        account = AsyncWeb3.to_checksum_address(self.address)
        if token is None:
            return int(await self.web3.eth.get_balance(account))
        return int(await self._token(token).functions.balanceOf(account).call())

    def _token(self, token: str) -> AsyncContract:
        return self.web3.eth.contract(address=AsyncWeb3.to_checksum_address(token), abi=_TOKEN)
