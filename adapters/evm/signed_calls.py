"""Reading unsigned transactions as a signer does: the calls the gateway makes, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.abi import WORD, address_of, selector, words_of
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import REFUND, RELEASE
from adapters.evm.names import ZERO_ADDRESS, chain_number, native_asset, token_asset
from adapters.evm.transactions import UnsignedTransaction
from domain.shared.money import Money
from domain.signing.model import Act, Movement, Reading
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from domain.shared.money import AssetId, ChainId

_SELECTOR_BYTES: Final = 4
_ESCROW_ACTS: Final = {selector(RELEASE): Act.RELEASE, selector(REFUND): Act.REFUND}
_TERMS_WORDS: Final = 8
_MERCHANT, _TOKEN, _AMOUNT = 1, 2, 3
"""Their places in ``Terms``; see ``adapters.evm.escrow_abi.TERMS_TYPE``."""


class EvmTransactionReader:
    """Reads transactions of one chain; implements `ports.signing.TransactionReader`."""

    def __init__(self, chain: ChainId, *, escrow_contract: str | None, hot_wallet: str) -> None:
        """Take what the gateway's own addresses are, lower case.

        Args:
            chain: The chain's name.
            escrow_contract: The only contract whose escrows are released and refunded, if any is.
            hot_wallet: Where sweeps go.
        """
        self._chain: Final = chain
        self._chain_id: Final = chain_number(chain)
        self._escrow: Final = escrow_contract
        self._hot_wallet: Final = hot_wallet

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        """Return what a transaction does.

        Raises:
            NotATransaction: the bytes are no transaction of a known kind.
            SigningRefused: it is for another chain, or no transfer and no call of the escrow
                contract's that is known.
        """
        transaction = UnsignedTransaction.decode(unsigned)
        if transaction.chain_id != self._chain_id:
            raise SigningRefused(f"is for chain {transaction.chain_id}, not {self._chain_id}")
        # What moves nothing, from a wallet to itself, only takes the place of another transaction.
        idle = transaction.target == sender and not transaction.value and not transaction.data
        return Reading(
            chain=self._chain,
            movements=() if idle else (self._movement(transaction, sender),),
            fee=Money(transaction.fee_limit, native_asset(self._chain)),
            slot=f"{self._chain}/{sender}/{transaction.nonce}",
        )

    def _movement(self, transaction: UnsignedTransaction, sender: str) -> Movement:
        data = transaction.data
        if not data:
            money = Money(transaction.value, native_asset(self._chain))
            return self._transfer(money, transaction.target, sender)
        if transaction.value:
            raise SigningRefused(f"takes {transaction.value} wei along")
        words = words_of("0x" + data[_SELECTOR_BYTES:].hex())
        if words is None:
            raise SigningRefused("is no call that is known")
        if data.startswith(TRANSFER) and len(data) == _SELECTOR_BYTES + 2 * WORD:
            token = token_asset(self._chain, transaction.target)
            return self._transfer(Money(int(words[1], 16), token), _address(words[0]), sender)
        act = _ESCROW_ACTS.get(data[:_SELECTOR_BYTES])
        if act is None or transaction.target != self._escrow or len(words) != _TERMS_WORDS:
            raise SigningRefused("is no call that is known")
        money = Money(int(words[_AMOUNT], 16), self._asset(_address(words[_TOKEN])))
        # Whom a refund goes to, the contract knows.
        target = _address(words[_MERCHANT]) if act is Act.RELEASE else None
        return Movement(act, money, target)

    def _transfer(self, money: Money, target: str, sender: str) -> Movement:
        swept = target == self._hot_wallet and sender != self._hot_wallet
        return Movement(Act.SWEEP if swept else Act.PAYOUT, money, target)

    def _asset(self, token: str) -> AssetId:
        native = token == ZERO_ADDRESS
        return native_asset(self._chain) if native else token_asset(self._chain, token)


def _address(word: str) -> str:
    address = address_of(word)
    if address is None:
        raise SigningRefused("names something that is no address")
    return address
