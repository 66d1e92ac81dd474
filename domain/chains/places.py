"""Where the gateway's money lies on a chain, and under which accounts it is booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.intents.model import Method
from domain.ledger.accounts import custody, gas, moving, returning, suspense, treasury
from domain.shared.modes import Mode
from domain.shared.money import AssetId, ChainId

if TYPE_CHECKING:
    from domain.ledger.accounts import Account

_RAILS = {"eip155": "evm", "ton": "ton"}


_WITH_CONTRACT = frozenset({Method.ESCROW, Method.ADDRESS})


@attrs.frozen
class NoEscrowContract(ValueError):
    """A chain offers payment into escrow, and no contract is named that could take it in."""

    chain: ChainId


@attrs.frozen
class Places:
    """The gateway's own addresses on one chain, and by which methods it can be paid there."""

    chain: ChainId
    native: AssetId
    escrow_contract: str | None
    """None on a chain that has none."""
    hot_wallet: str
    treasury: str | None
    """Where the platform's fees are credited by the escrow contract."""
    first_block: int
    """The first block worth reading: the one in which we first held something there."""
    methods: frozenset[Method] = _WITH_CONTRACT
    """What is offered there. What was offered once is watched as long as the chain is."""
    shows_coins: bool = False
    """True where the native coin's transfers are observed, as tokens' are everywhere."""
    hides_coins: bool = False
    """True where a contract can send coins unseen: balances are looked at then."""
    mode: Mode = Mode.TEST
    """Which accounts are paid on this chain."""
    devnet: bool = False
    """True where test accounts may order payments and reorganizations: ``domain.sandbox``."""
    cold_wallet: str | None = None
    """Where tokens are kept that nobody is owed soon; None where all stays in the hot wallet."""

    def __attrs_post_init__(self) -> None:
        complete = self.escrow_contract is not None and self.treasury is not None
        if Method.ESCROW in self.methods and not complete:
            raise NoEscrowContract(self.chain)

    @property
    def rail(self) -> str:
        """The name of the chain's family in the chart of accounts."""
        return _RAILS[self.chain.partition(":")[0]]

    @property
    def custody(self) -> str:
        """How the names of all accounts begin that say what we hold on this rail."""
        return custody(self.rail, "")

    @property
    def escrow(self) -> Account:
        """What the escrow contract holds."""
        return custody(self.rail, "escrow")

    @property
    def deposits(self) -> Account:
        """What the deposit addresses hold, all together."""
        return custody(self.rail, "deposits")

    @property
    def hot(self) -> Account:
        """What the hot wallet holds, the native coin apart."""
        return custody(self.rail, "hot")

    @property
    def cold(self) -> Account:
        """What the cold wallet holds."""
        return custody(self.rail, "cold")

    @property
    def gas(self) -> Account:
        """The hot wallet's native coin."""
        return gas(self.chain)

    @property
    def suspense(self) -> Account:
        """The inbox for money that cannot be assigned."""
        return suspense(self.rail)

    @property
    def returning(self) -> Account:
        """What of the inbox is promised back, and not signed yet."""
        return returning(self.rail)

    @property
    def moving(self) -> Account:
        """What is promised to the cold wallet, and not signed yet."""
        return moving(self.rail)

    @property
    def treasury_due(self) -> Account:
        """What the cold wallet is due from the hot one."""
        return treasury(self.rail)

    def pays_from(self, asset: AssetId) -> Account:
        """Return the account that a payout of an asset is taken from."""
        return self.gas if asset == self.native else self.hot
