"""What a new gateway begins with: an administrator, and a merchant to try things with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from domain.merchants.model import Merchant
from domain.merchants.roles import User
from domain.shared.ids import MerchantId
from domain.shared.money import ChainId

DEMO_TEST: Final = MerchantId("mer_demo_test")
DEMO_LIVE: Final = MerchantId("mer_demo_live")
"""The ids of the demo merchant's accounts, in every gateway: by them it is known to be there."""

FEE_BPS: Final = 100
KEY_NAME: Final = "seed"


@attrs.frozen(kw_only=True)
class Wanted:
    """What there is to be."""

    admin_email: str
    owner_email: str
    merchant_name: str
    destinations: Mapping[ChainId, str] = attrs.field(factory=dict)
    """Where the test account is paid out, on chains of this machine's."""


@attrs.frozen(kw_only=True)
class Seeded:
    """What there is now."""

    admin: User
    owner: User
    test: Merchant
    live: Merchant
    made: frozenset[str]
    """What of it was not there before: the e-mail addresses and ids."""
    api_key: str | None = attrs.field(repr=False)
    """A key of the test account's, where it was made now; its text is kept nowhere."""
