"""The devnet's money: a key that everybody knows, and how to spend with it.

A new chain begins with coins in the key's wallet 0; that wallet is the test jetton's admin, and
gives to the wallets 1 and on, which are the demo's payers. All it does it does by messages from
outside, as anybody would, over liteservers.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message

from adapters.ton.contracts.jetton import DevnetJetton
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.internal import coin_transfer, jetton_transfer
from adapters.ton.jettons import NO_ACCOUNT
from adapters.ton.key_file import public_key
from adapters.ton.liteservers import GetMethodFailed, NotAccepted
from adapters.ton.messages import JettonTransfer, comment
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.ton.addresses import TonAddress
    from adapters.ton.external import ExternalMessage
    from adapters.ton.internal import InternalMessage
    from adapters.ton.liteservers import Liteservers

DEVNET_SEED: Final = hashlib.sha256(b"Switchyard's TON devnet: anybody may spend this").digest()
"""Not a secret. Of the Ed25519 key to which a new devnet gives coins."""

DEVNET_COINS: Final = 1_000_000 * 10**9
"""Nanotons that a new devnet gives to wallet 0 of that key."""

WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
VALID_SECONDS: Final = 60
"""How long a message may take into a block; the chain's clock and ours are of one machine."""

RECENT: Final = 16
"""In how many of a wallet's newest transactions its message is looked for."""

DEPLOYMENT_NANOTONS: Final = 10**9
MINT_NANOTONS: Final = 10**9
WALLET_NANOTONS: Final = 5 * 10**8
TRANSFER_NANOTONS: Final = 5 * 10**8
FORWARDED_NANOTONS: Final = 1
"""What goes along with a transfer of jettons, so that who gets them is told, and of the memo."""


@attrs.frozen
class PurseStuck(Exception):
    """The devnet did not do within some time what it was asked for.

    Attributes:
        waited_for: What that was.
    """

    waited_for: str


def devnet_wallets() -> DepositWallets:
    """Return the wallets of the key that everybody knows."""
    return DepositWallets(public_key=public_key(DEVNET_SEED))


class DevnetPurse:
    """Spends from the wallets of the devnet's key.

    One process spends from a wallet at a time; its own calls take turns.

    Attributes:
        wallets: The key's wallets: 0 gives, 1 and on are payers.
        jetton: The test jetton, deployed or not; wallet 0 is its admin.
    """

    def __init__(self, servers: Liteservers, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._servers: Final = servers
        self._wait_seconds: Final = wait_seconds
        self._turns: Final[dict[int, asyncio.Lock]] = {}
        self.wallets: Final = devnet_wallets()
        self.jetton: Final = DevnetJetton(admin=self.wallets.at(0).address)

    async def send_coins(
        self, *, to: TonAddress, amount: int, memo: str | None = None, index: int = 0
    ) -> str:
        """Send nanotons from a wallet; they arrive a block after this returns.

        Returns:
            The hash of the wallet's transaction, in hexadecimal.

        Raises:
            PurseStuck: The message came into no block in time.
            ChainUnavailable: No liteserver answers.
        """
        sent = coin_transfer(destination=to, amount=amount, bounce=False, memo=memo)
        return await self._act(index, sent)

    async def deploy_jetton(self) -> DevnetJetton:
        """Deploy the test jetton, unless it is there, and return it when it is.

        Raises:
            PurseStuck: It is not there in time.
            ChainUnavailable: No liteserver answers.
        """
        minter = self.jetton.minter

        async def deployed() -> bool:
            return await self._number(minter, "get_jetton_data") is not None

        if not await deployed():
            await self._act(0, self.jetton.deployment(attached=DEPLOYMENT_NANOTONS))
            await self._until(deployed, "the jetton's deployment")
        return self.jetton

    async def mint(self, *, owner: TonAddress, amount: int) -> None:
        """Mint jettons; return when their owner holds them.

        Raises:
            PurseStuck: He does not in time.
            ChainUnavailable: No liteserver answers.
        """
        before = await self.jettons_of(owner)
        minted = self.jetton.mint(
            owner=owner, amount=amount, attached=MINT_NANOTONS, for_wallet=WALLET_NANOTONS
        )
        await self._act(0, minted)

        async def arrived() -> bool:
            return await self.jettons_of(owner) >= before + amount

        await self._until(arrived, "jettons to be minted")

    async def send_jettons(
        self, *, index: int, to: TonAddress, amount: int, memo: str | None = None
    ) -> str:
        """Send jettons from a wallet; they arrive some blocks after this returns.

        Returns:
            The hash of the wallet's transaction, in hexadecimal.

        Raises:
            PurseStuck: The message came into no block in time.
            ChainUnavailable: No liteserver answers.
        """
        payer = self.wallets.at(index).address
        transfer = JettonTransfer(
            query_id=0,
            amount=amount,
            destination=to,
            response_destination=payer,
            forward_amount=FORWARDED_NANOTONS,
            forward_payload=None if memo is None else comment(memo),
        )
        sent = jetton_transfer(
            jetton_wallet=self.jetton.wallet(payer), attached=TRANSFER_NANOTONS, transfer=transfer
        )
        return await self._act(index, sent)

    async def coins_of(self, account: TonAddress) -> int:
        """Return an account's nanotons.

        Raises:
            ChainUnavailable: No liteserver answers.
        """
        state = await self._servers.ask("get_account_state", account.raw)
        coins: int = state.balance
        return coins

    async def jettons_of(self, owner: TonAddress) -> int:
        """Return what an owner holds of the test jetton, in its smallest unit.

        Raises:
            ChainUnavailable: No liteserver answers.
        """
        return await self._number(self.jetton.wallet(owner), "get_wallet_data") or 0

    async def _act(self, index: int, message: InternalMessage) -> str:
        """Let a wallet send a message; return the hash of the transaction that does."""
        wallet = self.wallets.at(index)
        async with self._turns.setdefault(index, asyncio.Lock()):
            sweep = Sweep(
                message=message,
                seqno=await self._number(wallet.address, "seqno") or 0,
                valid_until=int(time.time()) + VALID_SECONDS,
            )
            signed = wallet.message(sweep, sign=_sign)
            found: list[str] = []

            async def in_block() -> bool:
                # Not accepted is what the wallet has taken in already, and what comes before its
                # first coins, which may be on their way.
                with suppress(NotAccepted):
                    await self._servers.ask("raw_send_message", signed.to_boc())
                found.extend(await self._transactions_by(signed))
                return bool(found)

            await self._until(in_block, f"a message of wallet {index} to come into a block")
            return found[0]

    async def _transactions_by(self, message: ExternalMessage) -> list[str]:
        """Return the hash of the transaction that a message has begun, if it has."""
        known = message.to_cell().hash
        told = await self._servers.ask("get_transactions", message.destination.raw, RECENT)
        return [
            each.cell.hash.hex()
            for each in told
            if each.in_msg is not None and each.cell.refs[0].refs[0].hash == known
        ]

    async def _number(self, contract: TonAddress, method: str) -> int | None:
        """Return the first number that a get-method answers, None where there is no contract."""
        try:
            told = await self._servers.ask("run_get_method", contract.raw, method, [])
        except GetMethodFailed as error:
            if error.exit_code != NO_ACCOUNT:
                raise ChainUnavailable(f"{contract.raw} does not tell its {method}") from error
            return None
        return int(told[0])

    async def _until(self, condition: Callable[[], Awaitable[bool]], waited_for: str) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                while True:
                    with suppress(ChainUnavailable):
                        if await condition():
                            return
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise PurseStuck(waited_for) from None


def _sign(hash_: bytes) -> bytes:
    _, secret = crypto_sign_seed_keypair(DEVNET_SEED)
    signature: bytes = sign_message(hash_, secret)
    return signature
