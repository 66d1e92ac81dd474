"""An account whose transactions web3 makes: for provisioning, payers and tests, not for payouts.

Money of the gateway goes through `sender`, which stores what it signs before it sends it. Here
a transaction is signed, sent and waited for in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, cast

import aiohttp
import attrs
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError, Web3Exception

from adapters.evm.refusals import reason_of
from adapters.evm.rpc import EXECUTION_REVERTED, RpcRefused
from ports.chain import ChainUnavailable, InstructionRefused

if TYPE_CHECKING:
    from types import TracebackType

    from eth_account.signers.local import LocalAccount
    from eth_account.types import TransactionDictType
    from web3.types import TxParams, TxReceipt

REQUEST_TIMEOUT_SECONDS: Final = 20
RECEIPT_TIMEOUT_SECONDS: Final = 60
RECEIPT_POLL_SECONDS: Final = 0.05


@attrs.frozen
class TransactionReverted(Exception):
    """The transaction is in a block and had no effect."""

    hash: str


class Web3Account:
    """One key at one node. Close it, or use it as an async context manager."""

    def __init__(self, url: str, key: bytes) -> None:
        # web3 would by itself send a transaction again after a fault; whoever sends decides that.
        provider = AsyncHTTPProvider(
            url,
            request_kwargs={"timeout": aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)},
            exception_retry_configuration=None,
        )
        self.web3: Final[AsyncWeb3[AsyncHTTPProvider]] = AsyncWeb3(provider)
        self._account: Final[LocalAccount] = Account.from_key(key)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    @property
    def address(self) -> str:
        """The account, lower case."""
        return str(self._account.address).lower()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.web3.provider.disconnect()

    async def send(self, transaction: TxParams) -> TxReceipt:
        """Fill in what is missing, sign, send, and wait for the receipt.

        Raises:
            InstructionRefused: a trial run failed; the reason is the contract's own error name.
            TransactionReverted: it was included without effect.
            ChainUnavailable: the node did not answer or take it, or it was not included within
                `RECEIPT_TIMEOUT_SECONDS`.
        """
        try:
            return await self._send(transaction)
        except ContractLogicError as error:
            data = error.data if isinstance(error.data, str) else None
            refusal = RpcRefused(EXECUTION_REVERTED, str(error.message), data)
            raise InstructionRefused(reason_of(refusal) or "reverted") from error
        except (Web3Exception, aiohttp.ClientError, TimeoutError) as error:
            raise ChainUnavailable(f"not sent, or not known to be: {error}") from error

    async def _send(self, transaction: TxParams) -> TxReceipt:
        eth = self.web3.eth
        transaction = {**transaction, "from": self._account.address}
        transaction["chainId"] = await eth.chain_id
        transaction["gasPrice"] = await eth.gas_price
        transaction["nonce"] = await eth.get_transaction_count(self._account.address, "pending")
        if "gas" not in transaction:
            transaction["gas"] = await eth.estimate_gas(transaction)
        signed = self._account.sign_transaction(cast("TransactionDictType", transaction))
        hash = await eth.send_raw_transaction(signed.raw_transaction)
        receipt = await eth.wait_for_transaction_receipt(
            hash, timeout=RECEIPT_TIMEOUT_SECONDS, poll_latency=RECEIPT_POLL_SECONDS
        )
        if not receipt["status"]:
            raise TransactionReverted(hash.to_0x_hex())
        return receipt
