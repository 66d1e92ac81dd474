from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from adapters.keys.vault_transit import VaultTransitKeyWrapper
from adapters.system.secret_files import KeyFileRefused, create_secret
from ports.key_wrapper import KeyWrapperUnavailable, WrappedKeyRefused
from tests.adapters.keys.vault import TOKEN, transit
from tests.contracts.key_wrapper import CONTEXT, DATA_KEY, KeyWrapperContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ports.key_wrapper import KeyWrapper
    from tests.adapters.keys.vault import TransitServer


@pytest.fixture
def server() -> Iterator[TransitServer]:
    with transit() as server:
        yield server


def wrapper_of(server: TransitServer, *, key: str = "gateway") -> VaultTransitKeyWrapper:
    return VaultTransitKeyWrapper("vault", key=key, url=server.url, token=TOKEN, timeout_seconds=2)


class TestVault(KeyWrapperContract):
    @pytest.fixture
    def wrapper(self, server: TransitServer) -> KeyWrapper:
        return wrapper_of(server)

    @pytest.fixture
    def other(self, server: TransitServer) -> KeyWrapper:
        return wrapper_of(server, key="other")


class TestVaultThatSaysSoWith500(TestVault):
    @pytest.fixture
    def wrapper(self, server: TransitServer) -> KeyWrapper:
        server.denial = 500
        return wrapper_of(server)


def test_the_context_goes_along_as_associated_data(server: TransitServer) -> None:
    wrapped = wrapper_of(server).wrap(DATA_KEY, context=CONTEXT)

    assert wrapped.startswith(b"vault:v1:")
    asked = server.asked[0]
    assert asked.keys() == {"plaintext", "associated_data"}
    assert json.loads(base64.b64decode(asked["associated_data"])) == CONTEXT


@pytest.mark.parametrize(
    "failure",
    [
        (503, b'{"errors":["Vault is sealed"]}'),
        (403, b'{"errors":["permission denied"]}'),
        (400, b'{"errors":["encryption key not found"]}'),
        (500, b'{"errors":[]}'),
        (200, b'{"data":null}'),
        (200, b'{"data":{"ciphertext":"none","plaintext":"!"}}'),
        (200, b'{"data":{"ciphertext":null,"plaintext":"AAAA"}}'),
        (200, b"[]"),
        (200, b"<html>"),
        (502, b""),
    ],
)
def test_whatever_else_it_says_is_no_verdict(
    server: TransitServer, failure: tuple[int, bytes]
) -> None:
    wrapper = wrapper_of(server)
    wrapped = wrapper.wrap(DATA_KEY, context=CONTEXT)
    server.failure = failure

    with pytest.raises(KeyWrapperUnavailable) as refusal:
        wrapper.wrap(DATA_KEY, context=CONTEXT)
    assert DATA_KEY.hex() not in str(refusal.value)
    with pytest.raises(KeyWrapperUnavailable):
        wrapper.unwrap(wrapped, context=CONTEXT)


def test_nobody_there_is_no_verdict(server: TransitServer) -> None:
    wrapped = wrapper_of(server).wrap(DATA_KEY, context=CONTEXT)
    server.url = "http://127.0.0.1:9"

    with pytest.raises(KeyWrapperUnavailable, match="ConnectionRefusedError"):
        wrapper_of(server).unwrap(wrapped, context=CONTEXT)


def test_the_token_is_read_from_a_file_and_never_shown(
    server: TransitServer, tmp_path: Path
) -> None:
    create_secret(tmp_path / "token", TOKEN.encode() + b"\n")
    create_secret(tmp_path / "none", b"two words")
    wrapper = VaultTransitKeyWrapper.from_file(
        "vault", tmp_path / "token", key="gateway", url=server.url
    )

    assert wrapper.wrap(DATA_KEY, context=CONTEXT)
    assert TOKEN not in repr(wrapper)
    with pytest.raises(KeyFileRefused, match="does not hold a token") as refusal:
        VaultTransitKeyWrapper.from_file("vault", tmp_path / "none", key="k", url=server.url)
    assert "two words" not in str(refusal.value)


def test_a_text_that_is_not_vault_s_is_not_sent_there(server: TransitServer) -> None:
    with pytest.raises(WrappedKeyRefused):
        wrapper_of(server).unwrap(b"vault:v1:\r\nX-Vault-Token: none", context=CONTEXT)

    assert server.asked == []
