"""Which of a merchant's customer addresses and deposits are wanted in a list."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.customers.model import DepositStatus

if TYPE_CHECKING:
    from domain.customers.model import Deposit


@attrs.frozen(order=True)
class Place:
    """A place in a list, newest first: by when something was made, then by its id."""

    created_at: datetime
    id: str


@attrs.frozen(kw_only=True)
class Wanted:
    """What all deposits of a list have in common; None leaves it open."""

    customer: str | None = None
    status: DepositStatus | None = None

    def includes(self, deposit: Deposit) -> bool:
        """Tell whether a deposit is wanted."""
        return self.customer in {None, deposit.customer} and self.status in {None, deposit.status}
