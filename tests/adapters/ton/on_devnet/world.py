"""Our wallets and the devnet's jetton on a chain of their own, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from pytoniq_core import Cell, HashMap
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message
from pytoniq_core.tlb.account import Account
from pytoniq_core.tlb.config import ConfigParam
from pytoniq_core.tlb.transaction import InternalMsgInfo, Transaction
from pytoniq_core.tlb.vm_stack import VmStack

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import Reader, Writer
from adapters.ton.contracts.jetton import DevnetJetton
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.devnet.blocks import account_key
from adapters.ton.devnet.chain import Chain
from adapters.ton.fees import PARAMETERS, Prices
from tests.adapters.ton.strategies import KEY

if TYPE_CHECKING:
    from adapters.ton.deposit_wallet import DepositWallet
    from adapters.ton.devnet.blocks import MinedBlock
    from adapters.ton.external import ExternalMessage
    from adapters.ton.internal import InternalMessage

PUBLIC, SECRET = crypto_sign_seed_keypair(KEY)
TON = 10**9
START = 1_790_000_000
BLOCKS_MAX = 20


def sign(digest: bytes) -> bytes:
    """Sign with the devnet's key."""
    return sign_message(digest, SECRET)


class World:
    """A chain whose time moves when it is told to, and wallets of one key on it."""

    def __init__(self) -> None:
        self.time = START
        self.chain = Chain(now=lambda: self.time)
        self.wallets = DepositWallets(public_key=PUBLIC)
        self.admin = self.wallets.at(0)
        self.jetton = DevnetJetton(admin=self.admin.address)
        self._seqnos: dict[TonAddress, int] = {}

    def prices(self) -> Prices:
        """Return the chain's prices."""
        tree = HashMap.parse(
            self.chain.config.begin_parse(), 32, value_deserializer=lambda rest: rest.load_ref()
        )
        assert tree is not None
        layouts: dict[int, Any] = ConfigParam.params
        return Prices.of(
            {
                number: layouts[number].deserialize(tree[number].begin_parse())
                for number in PARAMETERS
            }
        )

    def give(self, address: TonAddress, amount: int) -> None:
        """Give nanotons to an account."""
        self.chain.give(address=address.to_pytoniq(), amount=amount, body=Cell.empty())
        self.settle()

    def settle(self) -> None:
        """Mine until nothing is on its way."""
        for _ in range(BLOCKS_MAX):
            if self.chain.quiet:
                return
            self.chain.mine()
        raise TimeoutError

    def send(self, message: ExternalMessage) -> None:
        """Send from outside, and see to the end what comes of it.

        Raises:
            NotExecuted: the wallet does not accept it.
        """
        cell = Cell.one_from_boc(message.to_boc())
        self.chain.try_out(cell)
        self.chain.send(cell)
        self.settle()

    def send_from(self, wallet: DepositWallet, message: InternalMessage) -> None:
        """Let a wallet of the key send something."""
        seqno = self._seqnos.get(wallet.address, 0)
        self._seqnos[wallet.address] = seqno + 1
        told = Sweep(message=message, seqno=seqno, valid_until=self.time + 60)
        self.send(wallet.message(told, sign=sign))

    def funded(self, index: int) -> DepositWallet:
        """Return the wallet at a place with 100 tons."""
        wallet = self.wallets.at(index)
        self.give(wallet.address, 100 * TON)
        return wallet

    def mint(self, owner: TonAddress, amount: int) -> None:
        """Deploy the minter once, and mint."""
        if not self.runs(self.jetton.minter):
            self.give(self.admin.address, 1_000 * TON)
            self.send_from(self.admin, self.jetton.deployment(attached=TON))
        minted = self.jetton.mint(owner=owner, amount=amount, attached=TON, for_wallet=TON // 2)
        self.send_from(self.admin, minted)

    def runs(self, address: TonAddress) -> list[Run]:
        """Return what an account did, oldest first."""
        return [
            Run.of(Transaction.deserialize(each.transaction.cell.begin_parse()))
            for each in self.chain.transactions(address.account)
        ]

    @property
    def _shard(self) -> MinedBlock:
        shard = self.chain.head.shard
        assert shard is not None
        return shard

    def _account(self, address: TonAddress) -> Account | None:
        shard = self._shard
        found = shard.accounts.found(account_key(address.account)) if shard.accounts else None
        return Account.deserialize(found.refs[0].begin_parse()) if found else None

    def balance(self, address: TonAddress) -> int:
        """Return an account's nanotons."""
        account = self._account(address)
        return 0 if account is None else int(account.storage.balance.grams)

    def get(self, address: TonAddress, method: int, *arguments: object) -> list[object]:
        """Run a get-method by its number.

        Raises:
            ValueError: it ended with an exit code.
        """
        result = self.chain.run(
            block=self._shard,
            account=address.account,
            method=method,
            stack=VmStack.serialize(list(arguments)).to_boc(),
        )
        if result.exit_code:
            raise ValueError(result.exit_code)
        return list(VmStack.deserialize(Cell.one_from_boc(result.stack).begin_parse()))

    def jettons(self, owner: TonAddress) -> int:
        """Return an owner's balance, and see that his wallet says whose it is."""
        wallet = self.jetton.wallet(owner)
        if not self.runs(wallet):
            return 0
        balance, told_owner, minter, _code = self.get(wallet, method_id("get_wallet_data"))
        assert address_of(told_owner) == owner
        assert address_of(minter) == self.jetton.minter
        assert isinstance(balance, int)
        return balance


@attrs.frozen(kw_only=True)
class Run:
    """One transaction: what an account took in, and what came of it.

    Attributes:
        source: Whom the message is from; None from outside.
        value: In nanotons.
        exit_code: How the code ended; None where nothing ran.
        sent: How many messages it has sent.
        message: What it took in, as a cell.
    """

    source: TonAddress | None
    value: int
    bounced: bool
    body: Cell
    exit_code: int | None
    gas: int
    sent: int
    message: Cell

    @classmethod
    def of(cls, transaction: Transaction) -> Run:
        """Take what the library has read."""
        message, computed = transaction.in_msg, transaction.description.compute_ph
        assert message is not None
        info = message.info
        internal = info if isinstance(info, InternalMsgInfo) else None
        ran = computed if computed is not None and computed.type_ == "vm" else None
        return cls(
            source=None if internal is None else TonAddress.of(internal.src),
            value=0 if internal is None else internal.value.grams,
            bounced=internal is not None and internal.bounced,
            body=message.body,
            exit_code=None if ran is None else ran.exit_code,
            gas=0 if ran is None else ran.gas_used,
            sent=len(transaction.out_msgs),
            message=message.serialize(),
        )


def address_of(told: object) -> TonAddress:
    """Read an address from what a get-method returned."""
    address = Reader(told.to_cell()).address()  # type: ignore[attr-defined] # A slice of the library.
    assert address is not None
    return address


def method_id(name: str) -> int:
    """Return a get-method's number: CRC-16 of its name, with bit 16 set."""
    register = 0
    for octet in name.encode():
        register ^= octet << 8
        for _ in range(8):
            register = (register << 1 ^ 0x1021) & 0xFFFF if register & 0x8000 else register << 1
    return register | 0x10000


def argument(address: TonAddress) -> object:
    """Return an address as a get-method takes it."""
    return Writer().address(address).end().begin_parse()
