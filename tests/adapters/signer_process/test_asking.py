"""Worker and signer over a real socket: what is asked, answered, refused, and what goes wrong."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import threading
import time
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.signer import LocalSigner
from adapters.signer_process.client import RemoteDepositSigner, RemoteSigner, SignerAddress
from adapters.signer_process.messages import Conversation, SignSweep, SignTransaction, framed
from adapters.signer_process.server import Desk, SignerServer, SocketTaken
from ports.chain import ChainUnavailable
from ports.signer import SignerUnavailable, SigningRefused
from tests.adapters.evm.test_signer import SECRET, a_transfer
from tests.adapters.signer_process.running import serving
from tests.contracts.signer import SignerContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.signer_process.messages import Question

LOCAL = LocalSigner(SECRET, chain_id=56)
SHARED = bytes(range(32))


def by_the_key(question: Question, _: str) -> bytes:
    """Sign wallets' transactions, and tell what is asked of deposit addresses."""
    if isinstance(question, SignSweep):
        return f"{question.key} {question.sender} {question.index}".encode()
    try:
        return LOCAL.sign_transaction(question.unsigned)
    except ValueError as error:
        raise SigningRefused(str(error)) from error


@pytest.fixture(params=["socket", "port"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    if request.param == "port":
        return Desk(place=0, secret=SHARED)
    return Desk(place=tmp_path / "s")


@pytest.fixture
def address(desk: Desk) -> Iterator[SignerAddress]:
    with serving(desk, by_the_key) as address:
        yield address


def remote(address: SignerAddress) -> RemoteSigner:
    return RemoteSigner(address, key="hot", chain="eip155:56", address=LOCAL.address)


class TestContract(SignerContract):
    @pytest.fixture
    def signer(self, address: SignerAddress) -> RemoteSigner:
        return remote(address)

    @pytest.fixture
    def unsigned(self) -> list[bytes]:
        return [a_transfer().encode(), a_transfer(nonce=8).encode()]


def test_what_is_signed_elsewhere_is_what_the_key_signs(address: SignerAddress) -> None:
    unsigned = a_transfer().encode()

    assert remote(address).sign_transaction(unsigned) == LOCAL.sign_transaction(unsigned)


def test_a_sweep_tells_whose_it_is(address: SignerAddress) -> None:
    signer = RemoteDepositSigner(address, key="sweep", chain="eip155:56")

    assert signer.sign_sweep(b"unsigned", source="0x11", index=7) == b"sweep 0x11 7"


def test_a_refusal_says_why(address: SignerAddress) -> None:
    with pytest.raises(SigningRefused, match="for chain 1, not 56") as refusal:
        remote(address).sign_transaction(a_transfer(chain_id=1).encode())

    assert not isinstance(refusal.value, ChainUnavailable)


def test_a_large_batch_goes_through(address: SignerAddress) -> None:
    signer = RemoteDepositSigner(address, key="sweep", chain="eip155:56")

    assert signer.sign_sweep(bytes(200_000), source="0x11", index=7)
    with pytest.raises(SignerUnavailable):
        signer.sign_sweep(bytes(600_000), source="0x11", index=7)


def test_many_ask_at_a_time(address: SignerAddress) -> None:
    unsigned = a_transfer().encode()
    answers: list[bytes] = []

    def ask() -> None:
        answers.extend(remote(address).sign_transaction(unsigned) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert answers == [LOCAL.sign_transaction(unsigned)] * 80


class TestTrouble:
    def test_nobody_there(self, tmp_path: Path) -> None:
        with pytest.raises(SignerUnavailable):
            remote(SignerAddress(place=tmp_path / "none")).sign_transaction(b"")

    @pytest.mark.parametrize("said", [b"", b"\0" * 16])
    def test_silence_is_given_up_in_time(self, said: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = SignerAddress(
                place=silent.getsockname()[1], secret=SHARED, timeout_seconds=0.2
            )
            ended = threading.Event()
            thread = threading.Thread(target=fall_silent, args=(silent, said, ended))
            thread.start()
            before = time.monotonic()
            with pytest.raises(ChainUnavailable):
                remote(address).sign_transaction(b"")
            ended.set()
            thread.join(5)

        assert time.monotonic() - before < 2

    @pytest.mark.parametrize(
        "answer", [b"\0\0\0\1x", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x22" + b"{}" * 17]
    )
    def test_an_answer_that_is_not_the_signer_s(self, answer: bytes) -> None:
        def pretend(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(bytes(16))
                connection.recv(100_000)
                connection.sendall(answer)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=pretend, args=(listener,))
            thread.start()
            address = SignerAddress(place=listener.getsockname()[1], secret=SHARED)
            with pytest.raises(SignerUnavailable):
                remote(address).sign_transaction(b"")
            thread.join(5)

    def test_a_trouble_of_the_signer_s_own_is_no_refusal(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_: Question, __: str) -> bytes:
            raise RuntimeError(SECRET.hex())

        with serving(desk, fail) as address, pytest.raises(SignerUnavailable) as failure:
            remote(address).sign_transaction(b"")

        # Whatever an error deep inside says, its message goes nowhere.
        assert SECRET.hex() not in str(failure.value) + caplog.text
        assert "RuntimeError" in caplog.text


class TestWhoMayAsk:
    def test_without_the_secret_nobody_is_answered(self) -> None:
        heard: list[Question] = []

        def listen(question: Question, _: str) -> bytes:
            heard.append(question)
            return b""

        with serving(Desk(place=0, secret=SHARED), listen) as address:
            for secret in (None, b"\1" * 32):
                with pytest.raises(SignerUnavailable):
                    remote(attrs.evolve(address, secret=secret)).sign_transaction(b"")

        assert heard == []

    def test_a_port_is_not_opened_without_a_secret(self) -> None:
        with pytest.raises(ValueError, match="needs a secret"):
            Desk(place=0)

    def test_a_question_is_not_answered_twice(self) -> None:
        """Who has heard a worker cannot ask the same by repeating it."""
        address = SignerAddress(place=0, secret=SHARED)
        heard = conversation_with(address)

        with serving(Desk(place=0, secret=SHARED), by_the_key) as there:
            assert isinstance(there.place, int)
            with socket.create_connection(("127.0.0.1", there.place), timeout=5) as connection:
                connection.recv(16)
                connection.sendall(heard)
                assert connection.recv(1) == b""

    def test_another_user_is_not_answered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = os.geteuid()
        with serving(Desk(place=tmp_path / "s"), by_the_key) as address:
            monkeypatch.setattr(os, "geteuid", lambda: user + 1)
            with pytest.raises(SignerUnavailable):
                remote(address).sign_transaction(a_transfer().encode())
        with serving(Desk(place=tmp_path / "s", users=frozenset({user})), by_the_key) as address:
            assert remote(address).sign_transaction(a_transfer().encode())

    def test_where_the_system_does_not_tell_who_asks_the_mode_decides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
        with serving(Desk(place=tmp_path / "s"), by_the_key) as address:
            assert remote(address).sign_transaction(a_transfer().encode())

    def test_the_signer_is_told_who_asks(self, tmp_path: Path) -> None:
        told: list[str] = []

        def listen(_: Question, client: str) -> bytes:
            told.append(client)
            return b""

        with serving(Desk(place=tmp_path / "s"), listen) as address:
            remote(address).sign_transaction(b"")

        assert str(os.getpid()) in told[0]


class TestSocket:
    def test_only_its_user_opens_it(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            with serving(Desk(place=tmp_path / "s"), by_the_key):
                assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
        finally:
            os.umask(before)

        assert not (tmp_path / "s").exists()

    def test_a_group_may_open_it_too(self, tmp_path: Path) -> None:
        with serving(Desk(place=tmp_path / "s", group=os.getegid()), by_the_key):
            assert (tmp_path / "s").stat().st_mode & 0o777 == 0o660

    def test_what_a_killed_signer_has_left_is_taken_away(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / "s"))

        with serving(Desk(place=tmp_path / "s"), by_the_key) as address:
            assert remote(address).sign_transaction(a_transfer().encode())

    async def test_nothing_else_is(self, tmp_path: Path) -> None:
        (tmp_path / "s").write_text("a file")
        with pytest.raises(SocketTaken):
            async with SignerServer(Desk(place=tmp_path / "s"), by_the_key).listening():
                pass
        with serving(Desk(place=tmp_path / "t"), by_the_key), pytest.raises(SocketTaken):
            async with SignerServer(Desk(place=tmp_path / "t"), by_the_key).listening():
                pass

        assert (tmp_path / "s").read_text() == "a file"

    @pytest.mark.parametrize(
        "said", [b"", b"\0", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\5hello", b"\0\0\0\x12" * 5]
    )
    def test_nonsense_keeps_nobody_from_being_answered(
        self, desk: Desk, caplog: pytest.LogCaptureFixture, said: bytes
    ) -> None:
        with serving(desk, by_the_key) as address, caplog.at_level(logging.WARNING):
            with connected(address) as connection:
                connection.recv(16)
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(1) == b""
            assert remote(address).sign_transaction(a_transfer().encode())

        assert "not understood" in caplog.text


def test_neither_side_shows_the_secret() -> None:
    address, desk = SignerAddress(place=1, secret=SHARED), Desk(place=1, secret=SHARED)

    for each in (address, desk, remote(address)):
        assert SHARED.hex()[:16] not in repr(each)
        assert str(SHARED)[2:20] not in repr(each)
        with pytest.raises(TypeError):
            pickle.dumps(each)


def fall_silent(listener: socket.socket, said: bytes, ended: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(said)
        ended.wait(5)


def connected(address: SignerAddress) -> socket.socket:
    if isinstance(address.place, int):
        return socket.create_connection(("127.0.0.1", address.place), timeout=5)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(address.place))
    return connection


def conversation_with(address: SignerAddress) -> bytes:
    """Return the frame of a question that was asked in another conversation."""
    question = SignTransaction("hot", "eip155:56", LOCAL.address, a_transfer().encode())
    return framed(Conversation.begin(address.secret).asked(question)[1])
