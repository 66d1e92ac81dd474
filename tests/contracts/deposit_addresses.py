"""What every source of deposit addresses keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ports.deposit_addresses import DepositAddresses


class DepositAddressesContract:
    @pytest.fixture
    def addresses(self) -> DepositAddresses:
        raise NotImplementedError

    def test_the_same_place_gives_the_same_address(self, addresses: DepositAddresses) -> None:
        assert addresses.derive(7) == addresses.derive(7)
        assert re.fullmatch("0x[0-9a-f]{40}", addresses.derive(7))

    def test_other_places_give_other_addresses(self, addresses: DepositAddresses) -> None:
        places = [0, 1, 2, 10, 2**31 - 1]

        assert len({addresses.derive(place) for place in places}) == len(places)

    @pytest.mark.parametrize("place", [-1, 2**31])
    def test_there_are_no_hardened_places(self, addresses: DepositAddresses, place: int) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 (each library words it in its own way)
            addresses.derive(place)
