"""The committed escrow artifact on a real EVM (py-evm): the life of payments, and its gas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_abi.abi import encode
from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]  # No stubs.
from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped]  # As above.
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract
from web3.logs import DISCARD
from web3.types import Wei

from adapters.evm.contracts import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from web3.contract.contract import ContractFunction
    from web3.types import TxParams, TxReceipt

NATIVE = "0x" + "00" * 20
AMOUNT = 1_000_000
FEE = 10_000
PUSH_GAS_CAP = 200_000
TERMS_TYPE = "(bytes32,address,address,uint256,uint16,uint48,uint48,uint48)"
NONE, HELD, RELEASED, REFUNDED, DISPUTED, RESOLVED = range(6)
BY_PAYER, BY_MERCHANT, BY_OPERATOR, AUTO_RELEASE, RECLAIM, ARBITER_TIMEOUT = range(6)
DAY = 86_400

# Ceilings in gas, for tokens among accounts that have some: py-evm's gas is exact, and the same
# on every machine.
GAS_BARS = {"pay": 90_000, "release": 66_000, "batch of 50 and a bad one": 900_000}

Terms = tuple[bytes, str, str, int, int, int, int, int]


@attrs.frozen
class Street:
    """An escrow, a token and an account in every role, on a chain of their own."""

    web3: Web3
    tester: EthereumTester
    escrow: Contract
    token: Contract
    owner: ChecksumAddress
    operator: ChecksumAddress
    arbiter: ChecksumAddress
    treasury: ChecksumAddress
    payer: ChecksumAddress
    merchant: ChecksumAddress
    stranger: ChecksumAddress

    def send(self, call: ContractFunction, sender: ChecksumAddress, value: int = 0) -> TxReceipt:
        """Mine one transaction; raise what the contract reverts with."""
        transaction: TxParams = {"from": sender, "value": Wei(value)}
        # With a gas limit given nothing is estimated, and only a call raises for a revert.
        call.call(transaction)
        sent = call.transact({**transaction, "gas": 3_000_000})
        receipt = self.web3.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1
        return receipt

    def terms(self, number: int, token: str) -> Terms:
        now = self.web3.eth.get_block("latest")["timestamp"]
        reference = f"pi_{number}".encode().ljust(32, b"\0")
        clocks = (now + DAY, now + 7 * DAY, now + 14 * DAY)
        return (reference, self.merchant, token, AMOUNT, 100, *clocks)

    def paid(self, number: int, token: str | None = None) -> Terms:
        terms = self.terms(number, self.token.address if token is None else token)
        value = AMOUNT if token == NATIVE else 0
        self.send(self.escrow.functions.pay(terms), self.payer, value)
        return terms

    def status(self, terms: Terms) -> int:
        identifier = self.escrow.functions.paymentId(terms).call()
        status: int = self.escrow.functions.payments(identifier).call()[1]
        return status

    def event(self, name: str, receipt: TxReceipt) -> dict[str, Any]:
        logs = list(self.escrow.events[name]().process_receipt(receipt, errors=DISCARD))
        assert len(logs) == 1
        return dict(logs[0]["args"])

    def advance(self, seconds: int) -> None:
        now = self.web3.eth.get_block("latest")["timestamp"]
        self.tester.time_travel(now + seconds)
        self.tester.mine_block()


def refused(error: str) -> pytest.RaisesExc[TransactionFailed]:
    """Expect a revert with this custom error, whatever its arguments."""
    selector = repr(keccak(text=error)[:4])[2:-1]
    return pytest.raises(TransactionFailed, match=re.escape(selector))


def deployed(
    web3: Web3, name: artifacts.ContractName, sender: ChecksumAddress, *arguments: object
) -> Contract:
    artifact = artifacts.load(name)
    factory = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = factory.constructor(*arguments).transact({"from": sender})
    address = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    assert address is not None
    assert web3.eth.get_code(address) == artifact.deployed_bytecode
    return web3.eth.contract(address=address, abi=artifact.abi)


@pytest.fixture(scope="module")
def built() -> Street:
    tester = EthereumTester(PyEVMBackend())
    web3 = Web3(EthereumTesterProvider(tester))
    accounts = list(web3.eth.accounts)
    owner, operator, arbiter, treasury, payer, merchant, stranger = accounts[:7]
    roles = (owner, operator, arbiter, treasury, PUSH_GAS_CAP)
    escrow = deployed(web3, "SwitchyardEscrow", owner, *roles)
    token = deployed(web3, "TestUSDT", owner)
    street = Street(
        web3=web3,
        tester=tester,
        escrow=escrow,
        token=token,
        owner=owner,
        operator=operator,
        arbiter=arbiter,
        treasury=treasury,
        payer=payer,
        merchant=merchant,
        stranger=stranger,
    )
    street.send(token.functions.mint(payer, 1_000_000 * 10**6), payer)
    street.send(token.functions.mint(merchant, 1), payer)
    street.send(token.functions.approve(escrow.address, 10**12), payer)
    # A first payment of each kind makes the balances and the treasury's credit non-zero.
    street.send(escrow.functions.release(street.paid(1)), operator)
    street.send(escrow.functions.release(street.paid(2, NATIVE)), operator)
    return street


@pytest.fixture
def street(built: Street) -> Iterator[Street]:
    snapshot = built.tester.take_snapshot()
    yield built
    built.tester.revert_to_snapshot(snapshot)


def test_the_id_is_what_python_computes(street: Street) -> None:
    terms = street.terms(10, NATIVE)
    values = (street.web3.eth.chain_id, street.escrow.address, terms)
    expected = keccak(encode(["uint256", "address", TERMS_TYPE], values))
    assert street.escrow.functions.paymentId(terms).call() == expected


@pytest.mark.parametrize("kind", ["token", "native coin"])
def test_a_payment_is_held_then_released(street: Street, kind: str) -> None:
    token, value = (street.token.address, 0) if kind == "token" else (NATIVE, AMOUNT)
    terms = street.terms(10, token)
    paying = street.escrow.functions.pay(terms)
    paid = street.event("Paid", street.send(paying, street.payer, value))
    assert paid["ref"] == terms[0]
    assert paid["payer"] == street.payer
    assert (
        paid["merchant"],
        paid["token"],
        paid["amount"],
        paid["feeBps"],
        paid["payBy"],
        paid["autoReleaseAt"],
        paid["refundUntil"],
    ) == terms[1:]
    assert street.status(terms) == HELD

    receipt = street.send(street.escrow.functions.release(terms), street.payer)
    released = street.event("Released", receipt)
    assert released == {
        "id": paid["id"],
        "ref": terms[0],
        "merchantAmount": AMOUNT - FEE,
        "fee": FEE,
        "treasury": street.treasury,
        "cause": BY_PAYER,
        "by": street.payer,
    }
    assert street.status(terms) == RELEASED


def test_anyone_releases_when_it_is_due(street: Street) -> None:
    terms = street.paid(10)
    release = street.escrow.functions.release(terms)
    with refused("TooEarly(bytes32,uint256)"):
        street.send(release, street.stranger)
    street.advance(7 * DAY)
    released = street.event("Released", street.send(release, street.stranger))
    assert (released["cause"], released["by"]) == (AUTO_RELEASE, street.stranger)


def test_the_merchant_refunds(street: Street) -> None:
    before = street.token.functions.balanceOf(street.payer).call()
    terms = street.paid(10)
    receipt = street.send(street.escrow.functions.refund(terms), street.merchant)
    refunded = street.event("Refunded", receipt)
    assert (refunded["amount"], refunded["cause"]) == (AMOUNT, BY_MERCHANT)
    assert street.status(terms) == REFUNDED
    assert street.token.functions.balanceOf(street.payer).call() == before


def test_the_payer_reclaims_what_nobody_released(street: Street) -> None:
    terms = street.paid(10, NATIVE)
    street.advance(14 * DAY)
    receipt = street.send(street.escrow.functions.reclaim(terms), street.payer)
    assert street.event("Refunded", receipt)["cause"] == RECLAIM


def test_the_arbiter_splits_a_disputed_payment(street: Street) -> None:
    terms = street.paid(10)
    receipt = street.send(street.escrow.functions.dispute(terms), street.payer)
    disputed = street.event("Disputed", receipt)
    now = street.web3.eth.get_block(receipt["blockNumber"])["timestamp"]
    assert disputed["arbiterDeadline"] == now + 30 * DAY
    assert street.status(terms) == DISPUTED
    with refused("WrongStatus(bytes32,uint8,uint8)"):
        street.send(street.escrow.functions.release(terms), street.operator)

    receipt = street.send(street.escrow.functions.resolve(terms, 400_000), street.arbiter)
    resolved = street.event("Resolved", receipt)
    parts = (resolved["payerAmount"], resolved["merchantAmount"], resolved["fee"])
    assert parts == (400_000, 594_000, 6_000)
    assert street.status(terms) == RESOLVED


def test_a_silent_arbiter_is_passed_by(street: Street) -> None:
    terms = street.paid(10)
    street.send(street.escrow.functions.dispute(terms), street.operator)
    street.advance(30 * DAY)
    receipt = street.send(street.escrow.functions.claimUnresolved(terms), street.stranger)
    assert street.event("Refunded", receipt)["cause"] == ARBITER_TIMEOUT


def test_a_batch_leaves_a_bad_entry_alone(street: Street) -> None:
    good = [street.paid(number) for number in range(10, 13)]
    never_paid = street.terms(20, street.token.address)
    batch = [good[0], never_paid, *good[1:]]
    receipt = street.send(street.escrow.functions.releaseBatch(batch), street.operator)
    assert [street.status(terms) for terms in batch] == [RELEASED, NONE, RELEASED, RELEASED]
    skipped = street.event("Skipped", receipt)
    assert skipped["id"] == street.escrow.functions.paymentId(never_paid).call()
    assert (skipped["reason"], skipped["status"]) == (0, NONE)


def test_a_pause_stops_new_payments_only(street: Street) -> None:
    terms = street.paid(10)
    street.send(street.escrow.functions.pause(), street.owner)
    with refused("EnforcedPause()"):
        street.paid(11)
    receipt = street.send(street.escrow.functions.refund(terms), street.operator)
    assert street.event("Refunded", receipt)["cause"] == BY_OPERATOR
    street.send(street.escrow.functions.unpause(), street.owner)
    street.paid(11)


def test_the_treasury_withdraws_its_fees(street: Street) -> None:
    call = street.escrow.functions.withdrawTo(street.token.address, street.stranger)
    withdrawn = street.event("Withdrawn", street.send(call, street.treasury))
    assert withdrawn == {
        "account": street.treasury,
        "token": street.token.address,
        "to": street.stranger,
        "amount": FEE,
    }
    assert street.token.functions.balanceOf(street.stranger).call() == FEE


def test_gas_stays_under_its_bars(street: Street) -> None:
    street.paid(9)
    functions = street.escrow.functions
    one = street.terms(10, street.token.address)
    used = {
        "pay": street.send(functions.pay(one), street.payer)["gasUsed"],
        "release": street.send(functions.release(one), street.operator)["gasUsed"],
    }
    batch = [street.paid(number) for number in range(100, 150)]
    receipt = street.send(functions.releaseBatch([*batch, one]), street.operator)
    used["batch of 50 and a bad one"] = receipt["gasUsed"]
    assert len(street.escrow.events.Released().process_receipt(receipt, errors=DISCARD)) == 50

    native = street.terms(11, NATIVE)
    disputed = street.paid(12)
    others = {
        "pay native": street.send(functions.pay(native), street.payer, AMOUNT),
        "release native": street.send(functions.release(native), street.operator),
        "refund": street.send(functions.refund(street.paid(13)), street.merchant),
        "dispute": street.send(functions.dispute(disputed), street.payer),
        "resolve": street.send(functions.resolve(disputed, 1_000), street.arbiter),
        "withdraw": street.send(functions.withdraw(street.token.address), street.treasury),
    }
    for name, bar in GAS_BARS.items():
        print(f"{name}\t{used[name]}\tgas\tat most {bar}")  # noqa: T201 - shown by pytest -s.
    for name, receipt in others.items():
        print(f"{name}\t{receipt['gasUsed']}\tgas")  # noqa: T201 - as above.
    assert [name for name, bar in GAS_BARS.items() if used[name] > bar] == []
