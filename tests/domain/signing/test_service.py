from __future__ import annotations

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.signing_journal import JournalFull, MemorySigningJournal
from domain.shared.money import AssetId, ChainId, Money
from domain.signing.model import Act, Limit, Movement, Policy, Reading
from domain.signing.service import Order, Signing, SigningKey
from ports.signer import SigningRefused

CHAIN = ChainId("eip155:56")
COIN, TOKEN = AssetId("eip155:56/slip44:60"), AssetId("eip155:56/erc20:0x" + "5" * 40)
HOT, ADA = "0x" + "1" * 40, "0x" + "a" * 40


class PlainReader:
    """Reads ``slot amount``, in which 0 for a slot is none."""

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        slot, amount = unsigned.decode("ascii").split()
        return Reading(
            chain=CHAIN,
            movements=(Movement(Act.PAYOUT, Money(int(amount), TOKEN), ADA),),
            fee=Money(1, COIN),
            slot=f"{sender}/{slot}" if slot != "0" else None,
        )


class CountingSigner:
    """Never signs the same bytes in the same way, like a token with a random nonce."""

    address = HOT

    def __init__(self) -> None:
        self.signed = 0

    def sign_transaction(self, unsigned: bytes) -> bytes:
        self.signed += 1
        return unsigned + b" signed %d" % self.signed


class Sweeper:
    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        return f"{source} {index} ".encode() + unsigned


@attrs.frozen
class Room:
    clock: FakeClock
    journal: MemorySigningJournal
    signer: CountingSigner
    signing: Signing

    def sign(self, slot: int, amount: int) -> bytes:
        return self.signing.sign(order(f"{slot} {amount}"))

    def last(self) -> str:
        return str(self.journal.told[-1]["what"])


def order(text: str, *, key: str = "hot", sender: str = HOT, index: int | None = None) -> Order:
    return Order(
        key=key, chain=CHAIN, sender=sender, unsigned=text.encode(), index=index, client="test"
    )


@pytest.fixture
def room() -> Room:
    clock, journal, signer = FakeClock(), MemorySigningJournal(), CountingSigner()
    policy = Policy(
        chain=CHAIN,
        acts=frozenset({Act.PAYOUT}),
        limits={TOKEN: Limit(asset=TOKEN, per_transaction=100, per_day=250)},
        fee_max=10,
    )
    hot = SigningKey(id="hot", signer=signer, reader=PlainReader(), policy=policy)
    deposits = SigningKey(id="sweep", deposits=Sweeper(), reader=PlainReader(), policy=policy)
    keys = {("hot", CHAIN): hot, ("sweep", CHAIN): deposits}
    return Room(clock, journal, signer, Signing(clock, journal, keys))


def test_the_same_order_is_signed_once_and_answered_alike(room: Room) -> None:
    first = room.sign(1, 100)

    assert [room.sign(1, 100) for _ in range(5)] == [first] * 5
    assert room.signer.signed == 1
    assert room.last() == "signed before"


def test_asking_again_never_counts_again(room: Room) -> None:
    for _ in range(10):
        room.sign(1, 100)
        room.sign(2, 100)

    room.sign(3, 50)
    with pytest.raises(SigningRefused, match="makes it 251 of"):
        room.sign(4, 1)


def test_what_was_signed_is_given_again_when_the_day_is_spent(room: Room) -> None:
    first = room.sign(1, 100)
    room.sign(2, 100)
    room.sign(3, 50)

    assert room.sign(1, 100) == first


def test_of_those_that_exclude_each_other_the_largest_counts(room: Room) -> None:
    for amount in (40, 100, 60, 100, 1):
        room.sign(1, amount)

    room.sign(2, 100)
    room.sign(3, 50)
    with pytest.raises(SigningRefused):
        room.sign(4, 1)


def test_one_without_a_slot_counts_for_itself(room: Room) -> None:
    room.sign(0, 100)
    room.sign(0, 99)
    room.sign(0, 51)
    with pytest.raises(SigningRefused):
        room.sign(0, 1)


def test_a_new_day_begins_at_nothing(room: Room) -> None:
    for slot in (1, 2):
        room.sign(slot, 100)
    room.sign(3, 50)
    room.clock.advance(days=1)

    room.sign(4, 100)


def test_a_refusal_is_told_and_spends_nothing(room: Room) -> None:
    with pytest.raises(SigningRefused, match="over the limit of 100"):
        room.sign(1, 101)

    told = room.journal.told[-1]
    assert (told["what"], told["key"], told["client"]) == ("refused", "hot", "test")
    assert "over the limit" in str(told["why"])
    assert room.signer.signed == 0
    room.sign(1, 100)
    room.sign(2, 100)
    room.sign(3, 50)


@pytest.mark.parametrize(
    "wrong",
    [
        order("1 1", key="cold"),
        order("1 1", sender=ADA),
        order("1 1", index=0),
        order("1 1", key="sweep"),
        order("no transaction at all"),
        order("1 -1"),
    ],
)
def test_what_nobody_can_sign_is_refused_and_told(room: Room, wrong: Order) -> None:
    with pytest.raises(SigningRefused):
        room.signing.sign(wrong)

    assert room.last() == "refused"
    assert room.signer.signed == 0


def test_an_order_for_another_chain_is_refused(room: Room) -> None:
    with pytest.raises(SigningRefused, match="no key hot for eip155:1"):
        room.signing.sign(attrs.evolve(order("1 1"), chain=ChainId("eip155:1")))


def test_a_sweep_is_signed_by_the_address_at_its_place(room: Room) -> None:
    swept = room.signing.sign(order("1 5", key="sweep", sender=ADA, index=7))

    assert swept == f"{ADA} 7 1 5".encode()
    assert room.journal.told[-1]["index"] == 7


def test_nothing_leaves_that_the_journal_does_not_have(room: Room) -> None:
    room.journal.fill()
    with pytest.raises(JournalFull):
        room.sign(1, 100)

    room.journal.fill(full=False)
    assert room.sign(1, 100) == b"1 100 signed 2"
    room.sign(2, 100)
    room.sign(3, 50)


def test_two_orders_are_never_taken_for_one() -> None:
    orders = [
        order("1 1"),
        order("1 1", index=1),
        order("1 1", index=11),
        order("1 1", key="hot2"),
        order("1 1", key="ho", sender="t" + HOT),
        order("1 2"),
    ]

    assert len({each.digest for each in orders}) == len(orders)
    assert attrs.evolve(orders[0], client="other").digest == orders[0].digest
    assert "1 1" not in repr(orders[0])
