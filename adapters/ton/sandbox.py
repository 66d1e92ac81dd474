"""A TON devnet at will: the wallets of the key that everybody knows pay.

A liteserver signs for nobody. That key opens nothing but what devnets hold, and is no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.ton.addresses import NotATonAddress, TonAddress
from adapters.ton.devnet.purse import DEVNET_COINS, DevnetPurse, PurseStuck
from ports.chain import ChainUnavailable
from ports.sandbox import SandboxRefused, WrongSandbox

if TYPE_CHECKING:
    from adapters.ton.liteservers import Liteservers
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import AssetId, ChainId, Money

PAYER: Final = 5
"""Which wallet of the devnet's key pays: one process spends from a wallet at a time."""

SPARE_NANOTONS: Final = 10**9
"""What a payer has besides, for fees and for what travels with jettons."""

_JETTON: Final = "/jetton:"


class TonSandbox:
    """See ``ports.sandbox.Sandbox``. The test jetton is the only one that is given away."""

    def __init__(self, chain: ChainId, *, native: AssetId, servers: Liteservers) -> None:
        self.chain: Final = chain
        self._native: Final = native
        self._purse: Final = DevnetPurse(servers)
        self._payer: Final = self._purse.wallets.at(PAYER).address

    async def check(self) -> None:
        """Make sure that this is a devnet: on it alone that key was given millions.

        Raises:
            WrongSandbox: it was not.
            ChainUnavailable: no liteserver answers.
        """
        if await self._purse.coins_of(self._purse.wallets.at(0).address) < DEVNET_COINS // 2:
            raise WrongSandbox(self.chain, "the devnet's key holds next to nothing here")

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        """Send coins or test jettons; they arrive some blocks later.

        Raises:
            SandboxRefused: nobody gives such jettons away, or the address is none.
            ChainUnavailable: no liteserver answers, or the devnet does not do it in time.
        """
        try:
            recipient = TonAddress.parse(target)
            if money.asset == self._native:
                await self._fill(money.amount)
                return await self._purse.send_coins(
                    to=recipient, amount=money.amount, memo=memo, index=PAYER
                )
            minter = TonAddress.parse(money.asset.partition(_JETTON)[2])
            if minter != self._purse.jetton.minter:
                raise SandboxRefused(f"nobody gives {money.asset} away")
            await self._fill(0)
            short = money.amount - await self._purse.jettons_of(self._payer)
            if short > 0:
                await self._purse.mint(owner=self._payer, amount=short)
            return await self._purse.send_jettons(
                index=PAYER, to=recipient, amount=money.amount, memo=memo
            )
        except NotATonAddress as error:
            raise SandboxRefused(str(error)) from error
        except PurseStuck as error:
            raise ChainUnavailable(f"waited too long for {error.waited_for}") from error

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Refuse: there is no escrow contract on TON.

        Raises:
            SandboxRefused: always.
        """
        raise SandboxRefused(f"no escrow contract on {terms.chain}")

    async def reorganize(self, *, depth: int) -> None:
        """Refuse: a masterchain block is final, and is never replaced.

        Raises:
            SandboxRefused: always.
        """
        raise SandboxRefused(f"not one of {depth} blocks can be replaced: each is final")

    async def _fill(self, nanotons: int) -> None:
        """See to it that the payer has so much, and some to spare."""
        wanted = nanotons + SPARE_NANOTONS
        if await self._purse.coins_of(self._payer) < wanted:
            await self._purse.send_coins(to=self._payer, amount=wanted)
