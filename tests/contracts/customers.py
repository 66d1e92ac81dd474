"""What every store of customers' addresses and deposits keeps."""

# The fields that a builder is told to change are of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.model import ObservationKey
from domain.customers.listing import Place, Wanted
from domain.customers.model import CustomerAddress, Deposit, DepositStatus
from domain.customers.reach import Reach
from domain.fees.model import FeeSchedule
from domain.shared.ids import CustomerAddressId, DepositId, SweepId
from domain.shared.money import AMOUNT_MAX
from domain.sweeps.model import Holding
from domain.treasury.model import Unswept
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CHAIN,
    MERCHANT,
    NOON,
    OTHER_CHAIN,
    OTHER_MERCHANT,
    USDT,
    address_of,
    an_intent,
    deposit_to,
    hash_of,
    usdt,
)
from tests.chain_builders import a_sweep
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin, UnitOfWork

REACH, OTHER_REACH = Reach("eip155/test"), Reach("eip155/live")
HOUR = timedelta(hours=1)


def a_customer_address(id: str = "ca_01", **changes: Any) -> CustomerAddress:
    """Return the address of a customer of its own."""
    address = CustomerAddress(
        id=CustomerAddressId(id),
        merchant_id=MERCHANT,
        customer=f"customer of {id}",
        reach=REACH,
        address=address_of(id),
        index=1000 + int(id.rpartition("_")[2]),
        created_at=NOON,
    )
    return attrs.evolve(address, **changes)


def a_deposit(id: str = "dep_01", **changes: Any) -> Deposit:
    """Return a deposit to the usual address that has been seen."""
    deposit = Deposit(
        id=DepositId(id),
        merchant_id=MERCHANT,
        address_id=CustomerAddressId("ca_01"),
        customer="customer of ca_01",
        key=ObservationKey(CHAIN, hash_of(id), 3),
        source=address_of("payer"),
        address=address_of("ca_01"),
        money=usdt(100),
        fees=FeeSchedule(bps=100),
        paid_at=NOON,
        created_at=NOON,
        changed_at=NOON,
    )
    return attrs.evolve(deposit, **changes)


async def stored(begin: Begin, *rows: CustomerAddress | Deposit) -> None:
    """Store addresses and deposits, in the order given."""
    async with begin() as work:
        for row in rows:
            if isinstance(row, Deposit):
                await work.customers.add_deposit(row)
            else:
                await work.customers.add(row)
        await work.commit()


async def _locked(work: UnitOfWork, deposit: Deposit) -> Deposit | None:
    """Lock a deposit as the watcher finds it."""
    if deposit.status is not DepositStatus.RETRACTED:
        return await work.customers.lock_deposit(deposit.key, to=deposit.address_id)
    return await work.customers.lock_retracted(
        deposit.key.chain, deposit.key.transaction, to=deposit.address_id, money=deposit.money
    )


class CustomersContract(StorageContract):
    async def test_an_address_comes_back_whole(self, begin: Begin) -> None:
        address = a_customer_address(
            customer="Ünï/1 '", metadata={"tier": "göld"}, index=2**31 - 1
        )
        await stored(begin, address)

        async with begin() as work:
            assert await work.customers.get(address.id, owner=MERCHANT) == address
            found = await work.customers.find(
                owner=MERCHANT, customer=address.customer, reach=REACH
            )
            assert found == address

    async def test_a_customer_has_one_address_of_a_reach(self, begin: Begin) -> None:
        mine = a_customer_address("ca_01", customer="user")
        await stored(begin, mine)

        with pytest.raises(AlreadyExists):
            await stored(begin, a_customer_address("ca_02", customer="user"))
        theirs = a_customer_address("ca_03", customer="user", merchant_id=OTHER_MERCHANT)
        live = a_customer_address("ca_04", customer="user", reach=OTHER_REACH)
        await stored(begin, theirs, live, a_customer_address("ca_05", customer="User"))

        async with begin() as work:
            for each in (mine, theirs, live):
                found = await work.customers.find(
                    owner=each.merchant_id, customer="user", reach=each.reach
                )
                assert found == each
            assert await work.customers.find(owner=MERCHANT, customer="u", reach=REACH) is None

    @pytest.mark.parametrize("field", ["id", "address", "index"])
    async def test_what_is_one_customers_is_no_other_s(self, begin: Begin, field: str) -> None:
        first, other = a_customer_address("ca_01"), a_customer_address("ca_02")
        await stored(begin, first)

        with pytest.raises(AlreadyExists):
            await stored(begin, attrs.evolve(other, **{field: getattr(first, field)}))

    async def test_another_merchants_are_not_found(self, begin: Begin) -> None:
        await stored(begin, a_customer_address(), a_deposit())

        async with begin() as work:
            for id, owner in (("01", OTHER_MERCHANT), ("02", MERCHANT)):
                with pytest.raises(NotFound):
                    await work.customers.get(CustomerAddressId(f"ca_{id}"), owner=owner)
                with pytest.raises(NotFound):
                    await work.customers.lock(CustomerAddressId(f"ca_{id}"), owner=owner)
                with pytest.raises(NotFound):
                    await work.customers.get_deposit(DepositId(f"dep_{id}"), owner=owner)

    async def test_many_are_found_by_name_if_they_are_the_merchants(self, begin: Begin) -> None:
        mine = [a_customer_address(f"ca_0{n}") for n in (1, 2, 3)]
        await stored(begin, *mine, a_customer_address("ca_04", merchant_id=OTHER_MERCHANT))
        asked = [CustomerAddressId(f"ca_0{n}") for n in (3, 1, 4, 9, 1)]

        async with begin() as work:
            assert await work.customers.named([], owner=MERCHANT) == []
            assert await work.customers.named(asked[2:4], owner=MERCHANT) == []
            found = await work.customers.named(asked, owner=MERCHANT)
            assert sorted(found, key=lambda it: it.id) == [mine[0], mine[2]]

    async def test_of_an_address_the_metadata_alone_is_changed(self, begin: Begin) -> None:
        address = a_customer_address(metadata={"tier": "gold", "note": "ä"})
        await stored(begin, address)
        changed = attrs.evolve(
            address,
            metadata={"tier": "silver"},
            customer="somebody else",
            address=address_of("elsewhere"),
        )
        async with begin() as work:
            assert await work.customers.lock(address.id, owner=MERCHANT) == address
            await work.customers.save(changed)
            await work.commit()

        async with begin() as work:
            found = await work.customers.get(address.id, owner=MERCHANT)
            assert found == attrs.evolve(address, metadata={"tier": "silver"})
            at = await work.customers.at([address.address], reach=REACH)
            assert at == {address.address: found}

    async def test_addresses_lead_to_customers_where_they_count(self, begin: Begin) -> None:
        one, two = a_customer_address("ca_01"), a_customer_address("ca_02")
        live = a_customer_address("ca_03", reach=OTHER_REACH)
        await stored(begin, one, two, live)
        asked = [it.address for it in (one, live)] + [address_of("stranger")]

        async with begin() as work:
            assert await work.customers.at(asked, reach=REACH) == {one.address: one}
            assert await work.customers.at(asked, reach=OTHER_REACH) == {live.address: live}
            assert await work.customers.at([], reach=REACH) == {}
            issued = await work.customers.issued(reach=REACH)
            assert sorted(issued) == sorted([one.address, two.address])

    async def test_addresses_come_in_turn_by_their_indices(self, begin: Begin) -> None:
        first, second, third = (
            a_customer_address(f"ca_{n}", index=n, created_at=NOON - n * HOUR) for n in (0, 7, 30)
        )
        await stored(begin, third, first, second, a_customer_address("ca_8", reach=OTHER_REACH))

        async with begin() as work:
            in_turn = work.customers.in_turn
            assert await in_turn(reach=REACH, after=-1, limit=2) == [first, second]
            assert await in_turn(reach=REACH, after=7, limit=2) == [third]
            assert await in_turn(reach=REACH, after=30, limit=2) == []

    async def test_addresses_are_listed_newest_first_page_by_page(self, begin: Begin) -> None:
        mine = [a_customer_address(f"ca_0{n}", created_at=NOON + n // 2 * HOUR) for n in range(5)]
        mine[3] = attrs.evolve(mine[3], customer=mine[1].customer, reach=OTHER_REACH)
        await stored(begin, *mine, a_customer_address("ca_09", merchant_id=OTHER_MERCHANT))

        async with begin() as work:
            found: list[CustomerAddress] = []
            for _ in mine:
                found += await work.customers.list(
                    owner=MERCHANT,
                    customer=None,
                    before=Place(found[-1].created_at, found[-1].id) if found else None,
                    limit=2,
                )
            of_one = await work.customers.list(
                owner=MERCHANT, customer=mine[1].customer, before=None, limit=9
            )
        assert found == mine[::-1]
        assert of_one == [mine[3], mine[1]]

    async def test_a_deposit_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        first = a_deposit(money=usdt(AMOUNT_MAX))
        await stored(begin, a_customer_address(), first)
        steps = [
            first.retract(at=NOON + HOUR),
            first.retract(at=NOON).reappear(
                attrs.evolve(first.key, position=9),
                source=address_of("other"),
                paid_at=NOON + HOUR,
                at=NOON + 2 * HOUR,
            ),
        ]
        steps.append(steps[-1].succeed(at=NOON + 3 * HOUR))
        before = first
        for after in steps:
            async with begin() as work:
                assert await _locked(work, before) == before
                await work.customers.save_deposit(after)
                await work.commit()
            async with begin() as work:
                assert await work.customers.get_deposit(first.id, owner=MERCHANT) == after
            before = after

    async def test_a_retracted_deposit_is_found_by_its_transaction_and_money(
        self, begin: Begin
    ) -> None:
        stands = a_deposit("dep_01")
        key = stands.key
        gone = [
            a_deposit(
                f"dep_0{n}",
                key=attrs.evolve(key, position=n),
                status=DepositStatus.RETRACTED,
                money=usdt(100 + n // 4),
            )
            for n in (3, 2, 4)
        ]
        # What is gone leaves its place to others: such as one that is gone from there as well.
        same_place = attrs.evolve(gone[0], id=DepositId("dep_05"), money=usdt(1))
        await stored(begin, a_customer_address(), stands, *gone, same_place)

        async with begin() as work:
            for amount, id in ((100, "dep_02"), (101, "dep_04"), (1, "dep_05"), (7, None)):
                found = await work.customers.lock_retracted(
                    CHAIN, key.transaction, to=stands.address_id, money=usdt(amount)
                )
                assert (found and found.id) == id
            assert await work.customers.lock_deposit(gone[0].key, to=stands.address_id) == stands
            assert await work.customers.lock_deposit(gone[1].key, to=stands.address_id) is None
            for chain, transaction, to in (
                (OTHER_CHAIN, key.transaction, "ca_01"),
                (CHAIN, hash_of("other"), "ca_01"),
                (CHAIN, key.transaction, "ca_02"),
            ):
                found = await work.customers.lock_retracted(
                    chain, transaction, to=CustomerAddressId(to), money=usdt(100)
                )
                assert found is None

    async def test_a_transfer_to_an_address_is_one_deposit(self, begin: Begin) -> None:
        first = a_deposit()
        await stored(begin, a_customer_address(), a_customer_address("ca_02"), first)

        with pytest.raises(AlreadyExists):
            await stored(begin, a_deposit("dep_02", key=first.key))
        # After a reorg the same transaction can pay somebody else at the same place.
        other = a_deposit("dep_03", key=first.key, address_id=CustomerAddressId("ca_02"))
        next_in_line = attrs.evolve(first.key, position=4)
        await stored(begin, other, a_deposit("dep_04", key=next_in_line))

        async with begin() as work:
            assert await work.customers.lock_deposit(first.key, to=other.address_id) == other
            elsewhere = attrs.evolve(first.key, chain=OTHER_CHAIN)
            assert await work.customers.lock_deposit(elsewhere, to=other.address_id) is None

    async def test_deposits_are_listed_as_wanted_page_by_page(self, begin: Begin) -> None:
        statuses = [*DepositStatus]
        every = [
            a_deposit(
                f"dep_{n:02}",
                created_at=NOON + n // 3 * HOUR,
                status=statuses[n % 3],
                customer="even" if n % 2 == 0 else "odd",
            )
            for n in range(12)
        ]
        await stored(begin, a_customer_address(), *every)
        await stored(begin, a_deposit("dep_99", merchant_id=OTHER_MERCHANT))

        async with begin() as work:
            for customer in (None, "even", "odd", "nobody"):
                for status in (None, *DepositStatus):
                    wanted = Wanted(customer=customer, status=status)
                    found: list[Deposit] = []
                    for _ in every:
                        found += await work.customers.list_deposits(
                            owner=MERCHANT,
                            wanted=wanted,
                            before=Place(found[-1].created_at, found[-1].id) if found else None,
                            limit=2,
                        )
                    assert found == [it for it in every[::-1] if wanted.includes(it)], wanted

    async def test_what_customers_addresses_hold_is_due_for_a_sweep(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent("pi_01", pay_to=deposit_to("pi_01", index=1)))
        customer = a_customer_address(index=7, created_at=NOON - HOUR)
        await stored(begin, customer)
        async with begin() as work:
            await work.sweeps.change_holding(CHAIN, address_of("pi_01"), usdt(5))
            await work.sweeps.change_holding(CHAIN, customer.address, usdt(9))
            await work.sweeps.change_holding(OTHER_CHAIN, customer.address, usdt(11))
            await work.commit()

        async with begin() as work:
            due = await work.sweeps.due(CHAIN, USDT.id, at_least=1, refused_before=NOON, limit=9)
            unswept = await work.treasury.unswept(CHAIN, USDT.id)
        assert due == [
            Holding(CHAIN, customer.address, 7, usdt(9)),
            Holding(CHAIN, address_of("pi_01"), 1, usdt(5)),
        ]
        assert unswept == Unswept(usdt(14), 2, NOON - HOUR)

        await given(begin, a_sweep(id=SweepId("swp_01"), address=customer.address))
        async with begin() as work:
            left = await work.sweeps.due(CHAIN, USDT.id, at_least=1, refused_before=NOON, limit=9)
        assert [it.index for it in left] == [1]
