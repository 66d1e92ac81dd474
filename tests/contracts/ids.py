"""What every source of identifiers keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.shared.ids import PREFIXES

if TYPE_CHECKING:
    from ports.ids import Ids


class IdsContract:
    @pytest.fixture
    def ids(self) -> Ids:
        raise NotImplementedError

    @pytest.mark.parametrize("kind", PREFIXES)
    def test_an_id_names_its_kind_and_fits_into_32_bytes(self, ids: Ids, kind: str) -> None:
        id = ids.new(kind)

        prefix, _, unique = id.partition("_")
        assert prefix == PREFIXES[kind]
        assert unique.isascii()
        assert unique.isalnum()
        assert unique == unique.lower()
        assert len(id) <= 32

    def test_later_ids_sort_after_earlier_ones(self, ids: Ids) -> None:
        drawn = [ids.new("intent") for _ in range(2_000)]

        assert drawn == sorted(set(drawn))

    def test_a_kind_nobody_knows_has_no_ids(self, ids: Ids) -> None:
        with pytest.raises(KeyError):
            ids.new("unicorn")

    def test_entropy_is_as_long_as_asked_and_never_the_same(self, ids: Ids) -> None:
        draws = [ids.entropy(32) for _ in range(20)]

        assert {len(draw) for draw in draws} == {32}
        assert len(set(draws)) == 20
        assert len(ids.entropy(7)) == 7
