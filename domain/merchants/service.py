"""Use cases of merchants: take one on, give out keys, recognise one by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.merchants import api_keys
from domain.merchants.model import ApiKey, Merchant, PaymentPolicy, PayoutTerms
from domain.merchants.recognition import Recognition
from domain.shared.ids import KeyId, MerchantId
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.fees.model import FeeSchedule


@attrs.frozen
class KeyNotValid(Exception):
    """No merchant has this API key (any more)."""


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
    ) -> Merchant:
        """Take a merchant on."""
        merchant = Merchant(
            id=MerchantId(self.ids.new("merchant")),
            name=name,
            created_at=self.clock.now(),
            fees=fees,
            payments=payments or PaymentPolicy(),
            payouts=payouts or PayoutTerms(),
        )
        async with self.begin() as work:
            await work.merchants.add(merchant)
            await work.commit()
        return merchant

    async def issue_key(self, *, merchant_id: MerchantId) -> str:
        """Give out a new API key. Its text is returned this once and kept nowhere.

        Raises:
            NotFound: there is no such merchant.
        """
        text = api_keys.write(self.ids.entropy(api_keys.ENTROPY_BYTES))
        key = ApiKey(
            id=KeyId(self.ids.new("key")),
            merchant_id=merchant_id,
            digest=api_keys.digest(text),
            created_at=self.clock.now(),
        )
        async with self.begin() as work:
            await work.merchants.get(merchant_id)
            await work.merchants.add_key(key)
            await work.commit()
        return text

    async def authenticate(self, *, key: str) -> Merchant:
        """Recognise a merchant by an API key.

        What the storage said is believed for ``RECOGNISED_FOR``: so long may a key that was
        revoked still be taken.

        Raises:
            KeyNotValid: nobody has this key, or not any more.
        """
        try:
            digest = api_keys.digest(key)
        except api_keys.MalformedApiKey as error:
            raise KeyNotValid from error
        now = self.clock.now()
        if merchant := self._recognised.find(digest, at=now):
            return merchant
        async with self.begin() as work:
            merchant = await work.merchants.by_key(digest)
        if merchant is None:
            raise KeyNotValid
        self._recognised.remember(digest, merchant, at=now)
        return merchant

    async def ping(self) -> None:
        """Ask the storage for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        async with self.begin() as work:
            await work.merchants.by_key(b"")
