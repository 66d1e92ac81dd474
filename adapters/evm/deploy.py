"""Putting the contracts on a chain: the escrow, and a test token where there is no real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from web3 import AsyncWeb3

from adapters.evm.contracts import artifacts
from adapters.evm.web3_account import Web3Account
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eth_typing import ChecksumAddress

    from adapters.evm.contracts.artifacts import ContractName

PUSH_GAS_CAP: Final = 200_000
"""Suits Ethereum's gas schedule; zero, no cap, where gas units differ (Polkadot Hub)."""

MINT_MAX: Final = 1_000_000 * 10**6
"""TestUSDT's ``MAX_MINT``: most units of one call."""

MINT_CALLS_MAX: Final = 100


@attrs.frozen
class Deployed:
    """A contract that is on the chain: its address, lower case, and the block it came with."""

    address: str
    block: int


class Deployer(Web3Account):
    """Deploys with one key, which becomes the escrow contract's owner.

    Every method raises what `Web3Account.send` raises.
    """

    async def deploy_escrow(
        self,
        *,
        operator: str,
        arbiter: str,
        treasury: str,
        push_gas_cap: int = PUSH_GAS_CAP,
    ) -> Deployed:
        """Deploy a SwitchyardEscrow and appoint who acts in it.

        Args:
            operator: The gateway's hot wallet.
            arbiter: Who decides disputes; the contract refuses the owner.
            treasury: Who is credited the fees.
            push_gas_cap: Most gas of one push, zero for no limit.
        """
        roles = [_checksum(one) for one in (self.address, operator, arbiter, treasury)]
        return await self._deploy("SwitchyardEscrow", *roles, push_gas_cap)

    async def deploy_collector(self, *, destination: str) -> Deployed:
        """Deploy a SwitchyardCollector, by which many deposit addresses are swept at once.

        Args:
            destination: The gateway's hot wallet, where all that it moves goes.
        """
        return await self._deploy("SwitchyardCollector", _checksum(destination))

    async def deploy_token(self) -> Deployed:
        """Deploy a TestUSDT: six decimals, worth nothing."""
        return await self._deploy("TestUSDT")

    async def mint(self, token: str, *, holders: Mapping[str, int]) -> None:
        """Give accounts test tokens, in units, by as many calls as the token's limit needs.

        Raises:
            ValueError: an amount would need more than `MINT_CALLS_MAX` calls.
        """
        contract = self.web3.eth.contract(
            address=_checksum(token), abi=artifacts.load("TestUSDT").abi
        )
        for holder, amount in holders.items():
            if amount > MINT_MAX * MINT_CALLS_MAX:
                raise ValueError(f"{amount} units are more than a demo needs")
            for minted in range(0, amount, MINT_MAX):
                part = min(MINT_MAX, amount - minted)
                data = contract.encode_abi("mint", [_checksum(holder), part])
                await self.send({"to": contract.address, "data": data})

    async def _deploy(self, name: ContractName, *arguments: object) -> Deployed:
        artifact = artifacts.load(name)
        contract = self.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        data = contract.constructor(*arguments).data_in_transaction
        receipt = await self.send({"data": data})
        address = receipt["contractAddress"]
        if address is None:
            raise ChainUnavailable(f"the receipt of {name} names no contract")
        code = await self.web3.eth.get_code(address)
        if not artifact.is_at(bytes(code)):
            raise ChainUnavailable(f"the code at {address} is not {name}'s")
        return Deployed(address.lower(), int(receipt["blockNumber"]))


def _checksum(address: str) -> ChecksumAddress:
    return AsyncWeb3.to_checksum_address(address)
