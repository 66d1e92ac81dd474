from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Cell, begin_cell
from pytoniq_core.boc.hashmap import HashMap
from pytoniq_core.boc.hashmap.parse import parse_hashmap_aug

from adapters.ton.devnet.cells import bag_of_cells, merkle_proof
from adapters.ton.devnet.hashmaps import Edge, bits_of, inserted, store_currencies

if TYPE_CHECKING:
    from adapters.ton.devnet.hashmaps import Edge, Extra

BITS = 16
KEYS = st.dictionaries(st.integers(0, (1 << BITS) - 1), st.integers(0, 10**9), min_size=1)


def _tree(values: dict[int, int], *, extra: Extra = store_currencies) -> Edge:
    def put(edge: Edge | None, item: tuple[int, int]) -> Edge:
        key, value = item
        return inserted(
            edge,
            key=bits_of(key, BITS),
            value=begin_cell().store_uint(value, 32).end_cell(),
            total=value,
            extra=extra,
        )

    tree: Edge | None = reduce(put, values.items(), None)
    assert tree is not None
    return tree


def _read(cell: Cell) -> dict[int, int]:
    """Read a tree as pytoniq-core does."""
    parsed = parse_hashmap_aug(
        cell.begin_parse(),
        BITS,
        lambda leaf: leaf.load_uint(32),
        lambda extra: (extra.load_coins(), extra.load_bit()),
    )
    assert parsed is not None
    found: dict[int, int] = parsed[0]
    return found


@given(KEYS)
def test_a_client_reads_what_was_inserted(values: dict[int, int]) -> None:
    tree = _tree(values)
    assert _read(tree.cell) == values
    assert tree.total == sum(values.values())


@given(KEYS)
def test_the_order_of_insertions_does_not_matter(values: dict[int, int]) -> None:
    backward = dict(reversed(values.items()))
    assert _tree(values).cell == _tree(backward).cell


@given(KEYS, st.integers(0, 10**9))
def test_a_value_is_replaced_and_the_old_tree_stays(values: dict[int, int], value: int) -> None:
    old, key = _tree(values), next(iter(values))
    before = old.cell.hash
    new = _tree({**values, key: value})
    assert _read(new.cell) == {**values, key: value}
    assert old.cell.hash == before


@given(KEYS, st.integers(0, (1 << BITS) - 1))
def test_only_what_is_there_is_found(values: dict[int, int], key: int) -> None:
    found = _tree(values).found(bits_of(key, BITS))
    expected = begin_cell().store_uint(values[key], 32).end_cell() if key in values else None
    assert found == expected


@given(KEYS)
def test_a_proof_has_the_hash_of_the_tree_and_the_value(values: dict[int, int]) -> None:
    tree, key = _tree(values), next(iter(values))
    proof = tree.proof(bits_of(key, BITS), leaf=lambda cell: cell)
    assert proof.get_hash(0) == tree.cell.hash
    sent = Cell.one_from_boc(bag_of_cells(merkle_proof(proof)))
    assert sent[0].get_hash(0) == tree.cell.hash
    assert len(bag_of_cells(proof)) <= len(bag_of_cells(tree.cell)) + 40 * len(values)


@given(KEYS)
def test_without_extras_it_is_a_plain_dictionary(values: dict[int, int]) -> None:
    plain = HashMap(BITS, value_serializer=lambda value, leaf: leaf.store_uint(value, 32))
    plain.map = values
    assert _tree(values, extra=lambda builder, _: builder).cell == plain.serialize()
