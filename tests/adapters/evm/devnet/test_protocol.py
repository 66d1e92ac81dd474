from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.evm.devnet.http import MAX_BODY_BYTES
from tests.adapters.evm.devnet.conftest import RpcRefused

if TYPE_CHECKING:
    from tests.adapters.evm.devnet.conftest import Rpc


def request(
    method: str, params: tuple[object, ...] = (), request_id: object = 1
) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}


class TestSingleRequest:
    def test_answers_what_a_wallet_asks_first(self, rpc: Rpc) -> None:
        assert rpc("eth_chainId") == "0x7a69"
        assert rpc("net_version") == "31337"
        assert rpc("eth_blockNumber") == "0x0"
        assert rpc("eth_syncing") is False
        assert rpc("net_listening") is True
        assert "py-evm" in rpc("web3_clientVersion")

    @pytest.mark.parametrize("method", ["eth_noSuchThing", "personal_unlockAccount"])
    def test_refuses_unknown_methods(self, rpc: Rpc, method: str) -> None:
        with pytest.raises(RpcRefused, match=f"the method {method} does not exist") as refused:
            rpc(method)
        assert refused.value.code == -32601

    def test_refuses_subscriptions(self, rpc: Rpc) -> None:
        with pytest.raises(RpcRefused, match="notifications not supported") as refused:
            rpc("eth_subscribe", "newHeads")
        assert refused.value.code == -32601

    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("eth_getBalance", []),
            ("eth_getBalance", ["0x11", "latest"]),
            ("eth_getBalance", ["0x" + "11" * 20, "newest"]),
            ("eth_getBalance", ["0x" + "11" * 20, "0x01"]),
            ("eth_getBalance", ["0x" + "11" * 20, "latest", "more"]),
            ("eth_getBlockByNumber", ["latest", "yes"]),
            ("eth_getTransactionReceipt", ["0x1234"]),
            ("eth_call", ["not an object"]),
            ("eth_call", [{"to": "0x" + "11" * 20, "value": 5}]),
            ("eth_getLogs", [{"topics": "0x"}]),
            ("eth_getLogs", [{"topics": [None] * 5}]),
            ("eth_feeHistory", ["0x2", "latest", [50, 10]]),
            ("evm_mine", [{"blocks": 0}]),
            ("eth_sendRawTransaction", ["0x123"]),
        ],
    )
    def test_refuses_wrong_parameters(self, rpc: Rpc, method: str, params: list[object]) -> None:
        with pytest.raises(RpcRefused) as refused:
            rpc(method, *params)
        assert refused.value.code == -32602

    def test_refuses_named_parameters(self, rpc: Rpc) -> None:
        answer = rpc.post({"id": 1, "method": "eth_chainId", "params": {"a": 1}}).json()
        assert answer["error"]["code"] == -32602

    def test_without_an_id_is_a_notification(self, rpc: Rpc) -> None:
        answer = rpc.post({"jsonrpc": "2.0", "method": "evm_mine", "params": []})

        assert (answer.status_code, answer.content) == (204, b"")
        assert rpc("eth_blockNumber") == "0x1"


class TestBatch:
    def test_answers_every_request_in_order(self, rpc: Rpc) -> None:
        answers = rpc.post(
            [request("eth_chainId", request_id="a"), request("nope"), request("evm_mine"), 5]
        ).json()

        assert [one["id"] for one in answers] == ["a", 1, 1, None]
        assert answers[0]["result"] == "0x7a69"
        assert answers[1]["error"]["code"] == -32601
        assert answers[3]["error"]["code"] == -32600

    @pytest.mark.parametrize("size", [0, 1_001], ids=["empty", "too large"])
    def test_has_bounds(self, rpc: Rpc, size: int) -> None:
        answer = rpc.post([request("eth_chainId")] * size).json()
        assert answer["error"]["code"] == -32600


class TestMalformedBody:
    @pytest.mark.parametrize("body", [b"", b"{", b'{"id": 1', b"\xff\xfe"])
    def test_is_a_parse_error(self, rpc: Rpc, body: bytes) -> None:
        answer = rpc.post_bytes(body).json()
        assert answer == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32700, "message": "parse error"},
        }

    @pytest.mark.parametrize("body", [5, "eth_chainId", {}, {"id": 1, "method": 5}, {"id": []}])
    def test_of_another_shape_is_an_invalid_request(self, rpc: Rpc, body: object) -> None:
        assert rpc.post(body).json()["error"]["code"] == -32600

    def test_that_is_too_large_is_refused(self, rpc: Rpc) -> None:
        assert rpc.post_bytes(b" " * (MAX_BODY_BYTES + 1)).status_code == 413


class TestHttp:
    def test_get_says_what_this_is(self, rpc: Rpc) -> None:
        shown = rpc._http.get(rpc.url)

        assert shown.status_code == 200
        assert "Switchyard devnet, chain 31337" in shown.text

    def test_lets_pages_of_any_origin_call(self, rpc: Rpc) -> None:
        preflight = rpc._http.options(
            rpc.url,
            headers={
                "Origin": "https://shop.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )

        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "*"

    def test_refuses_a_page_that_rebound_its_name(self, rpc: Rpc) -> None:
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'

        assert rpc.post_bytes(body, host="attacker.example").status_code == 400
        assert rpc.post_bytes(body, host="localhost:8545").status_code == 200
