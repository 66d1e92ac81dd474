"""Transactions on their way into a block, admitted by geth's rules and refused in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from eth.abc import SignedTransactionAPI
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from adapters.evm.devnet.rules import floor_gas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from eth.abc import StateAPI

POOL_CAPACITY = 4_096
SENDER_CAPACITY = 64
PRICE_BUMP_PERCENT = 10
"""Least raise of both fees that replaces a transaction (geth's ``txpool.pricebump``)."""

MAX_INITCODE_BYTES = 49_152  # EIP-3860
BLOB_TRANSACTION = 3


class TransactionRefused(Exception):
    """The node does not take the transaction; the message is what geth answers."""


@attrs.define(eq=False)
class TransactionPool:
    """Waiting transactions in order of arrival. A gap in the nonces keeps the later ones."""

    _waiting: dict[tuple[Address, int], SignedTransactionAPI] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return len(self._waiting)

    def find(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        """Return a waiting transaction by its hash."""
        waiting = self._waiting.values()
        return next((one for one in waiting if one.hash == transaction_hash), None)

    def transactions(self) -> tuple[SignedTransactionAPI, ...]:
        """Return everything that waits, in order of arrival."""
        return tuple(self._waiting.values())

    def next_nonce(self, sender: Address, *, mined: int) -> int:
        """Return the first nonce of a sender that is neither mined nor waiting."""
        nonce = mined
        while (sender, nonce) in self._waiting:
            nonce += 1
        return nonce

    def add(self, transaction: SignedTransactionAPI) -> None:
        """Take a transaction, in place of a cheaper one with its nonce if there is one.

        Raises:
            TransactionRefused: The pool is full, or the older transaction pays too much.
        """
        sender = transaction.sender
        key = (sender, transaction.nonce)
        older = self._waiting.pop(key, None)
        if older is not None and not _outbids(transaction, older):
            self._waiting[key] = older
            raise TransactionRefused("replacement transaction underpriced")
        of_sender = sum(1 for one, _ in self._waiting if one == sender)
        if of_sender >= SENDER_CAPACITY or len(self._waiting) >= POOL_CAPACITY:
            raise TransactionRefused("txpool is full")
        self._waiting[key] = transaction

    def executable(
        self, *, mined_nonce: Callable[[Address], int], base_fee: int
    ) -> list[SignedTransactionAPI]:
        """Return what the next block may hold, each sender's nonces in order without a gap.

        A transaction that pays less than the base fee waits, and those behind it with it.
        """
        ready: list[SignedTransactionAPI] = []
        for sender in dict.fromkeys(sender for sender, _ in self._waiting):
            nonce = mined_nonce(sender)
            while (one := self._waiting.get((sender, nonce))) is not None:
                if one.max_fee_per_gas < base_fee:
                    break
                ready.append(one)
                nonce += 1
        return ready

    def remove(self, transactions: Iterable[SignedTransactionAPI]) -> None:
        """Let go of transactions that were mined or can never be."""
        for transaction in transactions:
            self._waiting.pop((transaction.sender, transaction.nonce), None)

    def remove_stale(self, mined_nonce: Callable[[Address], int]) -> None:
        """Let go of transactions whose nonce was used by another one."""
        stale = [key for key in self._waiting if key[1] < mined_nonce(key[0])]
        for key in stale:
            del self._waiting[key]

    def replace_all(self, transactions: Iterable[SignedTransactionAPI]) -> None:
        """Hold exactly these transactions."""
        self._waiting = {(one.sender, one.nonce): one for one in transactions}


def admit(
    transaction: SignedTransactionAPI, *, state: StateAPI, chain_id: int, gas_limit: int
) -> None:
    """Check a transaction against the head, in geth's order.

    Raises:
        TransactionRefused: A block could not hold the transaction.
    """
    if (transaction.type_id or 0) == BLOB_TRANSACTION:
        raise TransactionRefused("transaction type not supported")
    _check_signature(transaction, chain_id=chain_id)
    if not transaction.to and len(transaction.data) > MAX_INITCODE_BYTES:
        size = len(transaction.data)
        raise TransactionRefused(
            f"max initcode size exceeded: code size {size}, limit {MAX_INITCODE_BYTES}"
        )
    if transaction.gas > gas_limit:
        raise TransactionRefused("exceeds block gas limit")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise TransactionRefused("max priority fee per gas higher than max fee per gas")
    if transaction.gas < transaction.intrinsic_gas:
        raise TransactionRefused(
            f"intrinsic gas too low: gas {transaction.gas},"
            f" minimum needed {transaction.intrinsic_gas}"
        )
    floor = floor_gas(transaction.data)
    if transaction.gas < floor:
        raise TransactionRefused(
            f"insufficient gas for floor data gas cost: gas {transaction.gas},"
            f" minimum needed {floor}"
        )
    mined = state.get_nonce(transaction.sender)
    if transaction.nonce < mined:
        raise TransactionRefused(
            f"nonce too low: next nonce {mined}, tx nonce {transaction.nonce}"
        )
    balance = state.get_balance(transaction.sender)
    cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if balance < cost:
        raise TransactionRefused(
            f"insufficient funds for gas * price + value: balance {balance},"
            f" tx cost {cost}, overshot {cost - balance}"
        )


def _check_signature(transaction: SignedTransactionAPI, *, chain_id: int) -> None:
    if transaction.chain_id is None:
        raise TransactionRefused("only replay-protected (EIP-155) transactions allowed over RPC")
    if transaction.chain_id != chain_id:
        raise TransactionRefused(
            "invalid sender: invalid chain id for signer:"
            f" have {transaction.chain_id} want {chain_id}"
        )
    try:
        transaction.check_signature_validity()
    except (ValidationError, ValueError) as error:
        raise TransactionRefused("invalid sender: invalid transaction v, r, s values") from error


def _outbids(newer: SignedTransactionAPI, older: SignedTransactionAPI) -> bool:
    factor = 100 + PRICE_BUMP_PERCENT
    return (
        newer.max_fee_per_gas * 100 >= older.max_fee_per_gas * factor
        and newer.max_priority_fee_per_gas * 100 >= older.max_priority_fee_per_gas * factor
    )
