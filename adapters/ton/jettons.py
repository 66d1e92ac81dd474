"""Jetton wallets, as their masters name them, and what they hold (TEP-74's get-methods)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytoniq_core import begin_cell

from adapters.ton.addresses import TonAddress
from adapters.ton.liteservers import GetMethodFailed
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from pytoniq_core import BlockIdExt

    from adapters.ton.liteservers import Liteservers
    from adapters.ton.settings import Jetton

NO_ACCOUNT: Final = -256
"""The exit code that liteservers give for an account without code."""

NAMED_MAX: Final = 100_000
"""So many names are remembered; they never change."""


class JettonWallets:
    """Asks masters and wallets."""

    def __init__(self, servers: Liteservers) -> None:
        self._servers: Final = servers
        self._named: Final[dict[tuple[str, str], str]] = {}

    async def address(self, owner: str, jetton: Jetton, block: BlockIdExt) -> str:
        """Return the raw address of an owner's wallet, deployed or not.

        Raises:
            ChainUnavailable: no server answered, or the master does not tell.
        """
        key = owner, jetton.master
        if key not in self._named:
            address = TonAddress.parse_raw(owner).to_pytoniq()
            argument = begin_cell().store_address(address).end_cell().begin_parse()
            try:
                told = await self._servers.ask(
                    "run_get_method", jetton.master, "get_wallet_address", [argument], block
                )
                named = TonAddress.of(told[0].load_address()).raw
            except (GetMethodFailed, IndexError, AttributeError, ValueError) as error:
                raise ChainUnavailable(f"{jetton.master} does not name wallets") from error
            if len(self._named) >= NAMED_MAX:
                self._named.clear()
            self._named[key] = named
        return self._named[key]

    async def held(self, owner: str, jetton: Jetton, block: BlockIdExt) -> int:
        """Return what an owner held after a masterchain block, in the jetton's smallest unit.

        Raises:
            ChainUnavailable: no server answered, or the wallet does not tell.
        """
        wallet = await self.address(owner, jetton, block)
        try:
            told = await self._servers.ask("run_get_method", wallet, "get_wallet_data", [], block)
            return int(told[0])
        except GetMethodFailed as error:
            if error.exit_code == NO_ACCOUNT:
                return 0
            raise ChainUnavailable(f"{wallet} does not tell its balance") from error
        except (IndexError, TypeError, ValueError) as error:
            raise ChainUnavailable(f"{wallet} does not tell its balance") from error
