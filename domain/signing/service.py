"""Signing: read what is asked for, hold it against the policy, remember it, and only then answer.

A signature leaves only when the journal has it. Whoever asks again for the same bytes, after
whatever went wrong in between, gets the same answer, and it counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import attrs

from domain.shared.money import ChainId
from domain.signing.model import Policy, day_of
from ports.clock import Clock
from ports.signer import DepositSigner, Signer, SigningRefused
from ports.signing import SigningJournal, TransactionReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.signing.model import Reading

SomethingT = TypeVar("SomethingT")


@attrs.frozen(kw_only=True)
class SigningKey:
    """A key on a chain: who signs with it, what reads what is to be signed, what may be."""

    id: str
    signer: Signer | None = None
    deposits: DepositSigner | None = None
    """One of both: a wallet's key, or that of all deposit addresses."""
    reader: TransactionReader
    policy: Policy


@attrs.frozen(kw_only=True)
class Order:
    """A request to sign: by whom, what, and as whose transaction."""

    key: str
    chain: ChainId
    sender: str
    unsigned: bytes = attrs.field(repr=False)
    index: int | None = None
    """The sender's place among deposit addresses; None for a wallet."""
    client: str = ""
    """Who asks, as far as it is known: for the journal alone."""

    @property
    def digest(self) -> bytes:
        """What tells one order from another, whoever gives it. The lengths keep parts apart."""
        parts = (self.key, self.chain, self.sender, str(self.index))
        hashed = hashlib.sha256()
        for part in (*(each.encode() for each in parts), self.unsigned):
            hashed.update(len(part).to_bytes(8, "big") + part)
        return hashed.digest()


@attrs.frozen
class Signing:
    """Signs what the policies let it, one order after the other: it is not for many threads."""

    clock: Clock
    journal: SigningJournal
    keys: Mapping[tuple[str, ChainId], SigningKey]

    def sign(self, order: Order) -> bytes:
        """Return the signed transaction; for the same order always the same.

        Raises:
            SigningRefused: the policy is against it, nobody has the key, or it is not understood.
        """
        try:
            return self._sign(order)
        except SigningRefused as refusal:
            self._tell(order, "refused", why=refusal.why)
            raise

    def _sign(self, order: Order) -> bytes:
        key = self.keys.get((order.key, order.chain))
        if key is None:
            raise SigningRefused(f"there is no key {order.key} for {order.chain}")
        if key.signer is not None and key.signer.address != order.sender:
            raise SigningRefused(f"the key is that of {key.signer.address}, not {order.sender}")
        request = order.digest
        known = self.journal.signed(request)
        if known is not None:
            self._tell(order, "signed before")
            return known
        reading = _understood(lambda: key.reader.read(order.unsigned, sender=order.sender))
        self._check(order, key, reading)
        # Only what was signed before is given out without this check.
        signed = _understood(lambda: _signed(key, order))
        at = self.clock.now()
        self.journal.record_signed(
            order.key,
            request=request,
            signed=signed,
            day=day_of(at),
            slot=reading.slot or request.hex(),
            totals=reading.totals,
            told=_told(order, "signed", reading=reading),
            at=at,
        )
        return signed

    def _check(self, order: Order, key: SigningKey, reading: Reading) -> None:
        if why := key.policy.objection(reading):
            raise SigningRefused(why)
        spent = self.journal.spent(
            order.key,
            day=day_of(self.clock.now()),
            slot=reading.slot or order.digest.hex(),
            totals=reading.totals,
        )
        if why := key.policy.objection_today(spent):
            raise SigningRefused(why)

    def _tell(self, order: Order, what: str, *, why: str | None = None) -> None:
        self.journal.record(_told(order, what, why=why), at=self.clock.now())


def _signed(key: SigningKey, order: Order) -> bytes:
    if key.signer is not None and order.index is None:
        return key.signer.sign_transaction(order.unsigned)
    if key.deposits is not None and order.index is not None:
        return key.deposits.sign_sweep(order.unsigned, source=order.sender, index=order.index)
    raise SigningRefused("the key does not sign this way")


def _understood(act: Callable[[], SomethingT]) -> SomethingT:
    """Turn what cannot be read into a refusal: what is not understood is not signed."""
    try:
        return act()
    except SigningRefused:
        raise
    except ValueError as error:
        raise SigningRefused(str(error)) from error


def _told(
    order: Order, what: str, *, reading: Reading | None = None, why: str | None = None
) -> Mapping[str, object]:
    told: dict[str, object] = {
        "what": what,
        "key": order.key,
        "chain": order.chain,
        "sender": order.sender,
        "digest": order.digest.hex(),
        "client": order.client,
    }
    if order.index is not None:
        told["index"] = order.index
    if why is not None:
        told["why"] = why
    if reading is not None:
        told["slot"] = reading.slot
        told["fee"] = str(reading.fee.amount)
        if reading.acts:
            told["acts"] = sorted(reading.acts)
        told["moves"] = [
            {
                "act": movement.act,
                "asset": movement.money.asset,
                "amount": str(movement.money.amount),
                "target": movement.target,
            }
            for movement in reading.movements
        ]
    return told
