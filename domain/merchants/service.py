"""Use cases of merchants: take one on, give out keys, recognise one by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.merchants import api_keys, rotation
from domain.merchants.model import ApiKey, Merchant, PaymentPolicy, PayoutTerms
from domain.merchants.recognition import Recognition
from domain.merchants.scopes import Scope
from domain.shared.ids import KeyId, MerchantId
from domain.shared.modes import Mode
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from domain.fees.model import FeeSchedule
    from domain.merchants.model import Caller, Network
    from domain.shared.idempotency import Idempotency

KEYS_SHOWN_MAX = 200
"""How many keys of a merchant's are listed: all that are active, and the newest others."""


@attrs.frozen
class KeyNotValid(Exception):
    """No merchant has this API key (any more)."""


@attrs.frozen
class Issued:
    """A new key, and its text, which is told this once, or again for the same idempotency key."""

    key: ApiKey
    text: str = attrs.field(repr=False)


@attrs.frozen
class MerchantService:
    """Knows the merchants and their keys."""

    begin: Begin
    clock: Clock
    ids: Ids
    _recognised: Recognition = attrs.field(factory=Recognition, init=False, eq=False, repr=False)

    async def register(
        self,
        *,
        name: str,
        fees: FeeSchedule,
        payments: PaymentPolicy | None = None,
        payouts: PayoutTerms | None = None,
        mode: Mode = Mode.TEST,
    ) -> Merchant:
        """Take a merchant on, with an account for money of one mode."""
        merchant = self._account(name, fees, payments, payouts, mode)
        async with self.begin() as work:
            await work.merchants.add(merchant)
            await work.commit()
        return merchant

    async def register_twins(
        self,
        *,
        name: str,
        fees: FeeSchedule,
        payments: PaymentPolicy | None = None,
        payouts: PayoutTerms | None = None,
    ) -> tuple[Merchant, Merchant]:
        """Take a merchant on with two accounts on the same terms; return test, then live."""
        first = self._account(name, fees, payments, payouts, Mode.TEST)
        second = self._account(name, fees, payments, payouts, Mode.LIVE)
        live = attrs.evolve(second, twin=first.id)
        test = attrs.evolve(first, twin=live.id)
        async with self.begin() as work:
            # Each names the other, and only one that is there can be named.
            await work.merchants.add(first)
            await work.merchants.add(live)
            await work.merchants.save(test)
            await work.commit()
        return test, live

    async def all(self) -> Sequence[Merchant]:
        """Return every merchant, oldest first."""
        async with self.begin() as work:
            return await work.merchants.all()

    async def issue_key(self, *, merchant_id: MerchantId) -> str:
        """Give out a new API key for everything, and return its text.

        Raises:
            NotFound: there is no such merchant.
            TooManyKeys: there are as many as there may be.
        """
        return (await self.create_key(merchant_id=merchant_id)).text

    async def create_key(
        self,
        *,
        merchant_id: MerchantId,
        name: str | None = None,
        scopes: Collection[Scope] = (Scope.EVERYTHING,),
        networks: Collection[Network] = (),
        expires_at: datetime | None = None,
        by: ApiKey | None = None,
        idempotency: Idempotency[Issued] | None = None,
    ) -> Issued:
        """Give out a new API key.

        Args:
            merchant_id: Whose it is.
            name: What he calls it; its id where he does not.
            scopes: What it may do.
            networks: From where it may be used; from anywhere if none is named.
            expires_at: When its time is over, if ever.
            by: The key that asks for it; None where an operator does.
            idempotency: By what the request is known if it is sent again.

        Raises:
            NotFound: there is no such merchant.
            NotHeld: the key that asks has less itself.
            ExpiryOutOfRange: it would expire at once, or in more than ten years.
            KeyNameTaken: there is an active key of the name.
            TooManyKeys: there are as many as there may be.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        rotation.must_hold(by, scopes=scopes, networks=networks)
        now = self.clock.now()
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=merchant_id)
            rotation.must_lie_ahead(expires_at, at=now)
            merchant = await work.merchants.get(merchant_id)
            keys = await work.merchants.lock_keys(merchant_id)
            issued = self._issue(
                merchant,
                name=name,
                scopes=frozenset(scopes),
                networks=tuple(networks),
                expires_at=expires_at,
                at=now,
            )
            issued = attrs.evolve(issued, key=rotation.descend(issued.key, giver=by))
            rotation.must_be_free(issued.key.name, among=keys, at=now)
            await work.merchants.add_key(issued.key)
            if idempotency:
                await idempotency.keep(work, issued, owner=merchant_id)
            await work.commit()
        return issued

    async def keys(self, *, owner: MerchantId) -> Sequence[ApiKey]:
        """Return a merchant's keys: those that were not revoked first, then by age, newest first.

        Raises:
            NotFound: there is no such merchant.
        """
        async with self.begin() as work:
            await work.merchants.get(owner)
            return await work.merchants.keys(owner=owner, limit=KEYS_SHOWN_MAX)

    async def revoke_key(self, *, key_id: KeyId, owner: MerchantId | None) -> ApiKey:
        """Have a key open nothing any more: here at once, elsewhere within ``RECOGNISED_FOR``.

        Raises:
            NotFound: there is no such key, or it is another merchant's.
        """
        async with self.begin() as work:
            key = await work.merchants.lock_key(key_id, owner=owner)
            revoked = key.revoke(at=self.clock.now())
            await work.merchants.save_key(revoked)
            await work.commit()
        self._recognised.forget(key.digest)
        return revoked

    async def regenerate_key(
        self,
        *,
        key_id: KeyId,
        owner: MerchantId,
        overlap: timedelta = rotation.OVERLAP,
        by: ApiKey | None = None,
        idempotency: Idempotency[Issued] | None = None,
    ) -> Issued:
        """Give out a key in the place of another, which counts on for a while.

        The new one has name, scopes and networks of the old one, and as long to live as that
        was given.

        Raises:
            NotFound: the merchant has no such key.
            NotHeld: the key that asks has less itself.
            KeyEnded: it opens nothing any more.
            RotationUnderWay: two keys of the name are active already.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        now = self.clock.now()
        async with self.begin() as work:
            merchant = await work.merchants.get(owner)
            keys = await work.merchants.lock_keys(owner)
            old = await work.merchants.lock_key(key_id, owner=owner)
            # Also who asks again has to hold what the text that he is told allows.
            rotation.must_hold(by, scopes=old.scopes, networks=old.networks)
            if idempotency:
                await idempotency.claim(work, owner=owner)
            rotation.must_be_replaceable(old, among=keys, at=now)
            lifetime = old.expires_at - old.created_at if old.expires_at else None
            issued = self._issue(
                merchant,
                name=old.name,
                scopes=old.scopes,
                networks=old.networks,
                expires_at=now + lifetime if lifetime else None,
                at=now,
            )
            issued = attrs.evolve(issued, key=rotation.descend(issued.key, giver=by, old=old))
            await work.merchants.save_key(old.expire(at=now + overlap))
            await work.merchants.add_key(issued.key)
            if idempotency:
                await idempotency.keep(work, issued, owner=owner)
            await work.commit()
        self._recognised.forget(old.digest)
        return issued

    async def authenticate(self, *, key: str) -> Caller:
        """Recognise a merchant by an API key.

        What the storage said is believed for ``RECOGNISED_FOR``: so long may a key that was
        revoked still be taken. One whose time is over is refused at once.

        Raises:
            KeyNotValid: nobody has this key, or not any more.
        """
        try:
            digest = api_keys.digest(key)
        except api_keys.MalformedApiKey as error:
            raise KeyNotValid from error
        caller = self._recognised.find(digest, at=self.clock.now())
        if caller is None:
            async with self._recognised.asking(digest):
                caller = await self._known(digest)
        if caller is None or caller.key.has_expired(at=self.clock.now()):
            raise KeyNotValid
        return caller

    async def _known(self, digest: bytes) -> Caller | None:
        """Return who has a key, as somebody heard from the storage meanwhile, or as it says."""
        now = self.clock.now()
        caller = self._recognised.find(digest, at=now)
        if caller is None:
            async with self.begin() as work:
                caller = await work.merchants.by_key(digest)
            if caller is not None:
                self._recognised.remember(digest, caller, at=now)
        return caller

    async def ping(self) -> None:
        """Ask the storage for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        async with self.begin() as work:
            await work.merchants.by_key(b"")

    def _account(
        self,
        name: str,
        fees: FeeSchedule,
        payments: PaymentPolicy | None,
        payouts: PayoutTerms | None,
        mode: Mode,
    ) -> Merchant:
        return Merchant(
            id=MerchantId(self.ids.new("merchant")),
            name=name,
            created_at=self.clock.now(),
            fees=fees,
            payments=payments or PaymentPolicy(),
            payouts=payouts or PayoutTerms(),
            mode=mode,
        )

    def _issue(
        self,
        merchant: Merchant,
        *,
        name: str | None,
        scopes: frozenset[Scope],
        networks: tuple[Network, ...],
        expires_at: datetime | None,
        at: datetime,
    ) -> Issued:
        text = api_keys.write(self.ids.entropy(api_keys.ENTROPY_BYTES), merchant.mode)
        key = ApiKey(
            id=KeyId(self.ids.new("key")),
            merchant_id=merchant.id,
            digest=api_keys.digest(text),
            created_at=at,
            masked=api_keys.mask(text),
            scopes=scopes,
            networks=networks,
            expires_at=expires_at,
        )
        return Issued(key if name is None else attrs.evolve(key, name=name), text)
