"""Jetton wallets, as their masters name them, and what they hold (TEP-74's get-methods)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytoniq_core import begin_cell

from adapters.ton.addresses import TonAddress
from adapters.ton.liteservers import GetMethodFailed
from adapters.ton.remembered import Remembered
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
        self._named: Final[Remembered[tuple[str, str], str]] = Remembered(servers, most=NAMED_MAX)

    async def address(self, owner: str, jetton: Jetton, block: BlockIdExt) -> str:
        """Return the raw address of an owner's wallet, deployed or not.

        Raises:
            ChainUnavailable: no server answered, or the master does not tell.
        """
        key = owner, jetton.master
        return await self._named.get(key, lambda: self._name(owner, jetton, block))

    async def _name(self, owner: str, jetton: Jetton, block: BlockIdExt) -> str:
        address = TonAddress.parse_raw(owner).to_pytoniq()
        argument = begin_cell().store_address(address).end_cell().begin_parse()
        try:
            told = await self._servers.ask(
                "run_get_method", jetton.master, "get_wallet_address", [argument], block
            )
            return TonAddress.of(told[0].load_address()).raw
        except (GetMethodFailed, IndexError, AttributeError, ValueError) as error:
            raise ChainUnavailable(f"{jetton.master} does not name wallets") from error

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
