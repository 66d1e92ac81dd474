from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.exceptions import ContractLogicError

from tests.adapters.evm.devnet.conftest import BOX_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.evm.devnet.devnet import Devnet
    from tests.adapters.evm.devnet.conftest import Wallet

UINT = {"name": "value", "type": "uint256"}
BOX_ABI = [
    {
        "type": "function",
        "name": "set",
        "stateMutability": "nonpayable",
        "inputs": [UINT],
        "outputs": [],
    },
    {
        "type": "function",
        "name": "get",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [UINT],
    },
    {
        "type": "event",
        "name": "Stored",
        "anonymous": False,
        "inputs": [{**UINT, "indexed": True}, {**UINT, "name": "same", "indexed": False}],
    },
]


@pytest.fixture
def w3(devnet: Devnet) -> Iterator[Web3]:
    provider = Web3.HTTPProvider(devnet.url)
    yield Web3(provider)
    for session in provider._request_session_manager.session_cache._data.values():
        session.close()


class TestWeb3:
    def test_is_connected_to_the_configured_chain(self, w3: Web3) -> None:
        assert w3.is_connected()
        assert w3.eth.chain_id == 31_337
        assert w3.eth.get_block("latest")["number"] == 0

    def test_deploys_calls_and_reads_events(self, w3: Web3, wallet: Wallet) -> None:
        account = Account.from_key(wallet.account.private_key)
        w3.eth.default_account = account.address

        def transact(call: Any) -> Any:  # noqa: ANN401 - web3 makes its types at run time
            transaction = call.build_transaction(
                {"nonce": w3.eth.get_transaction_count(account.address)}
            )
            raw = account.sign_transaction(transaction).raw_transaction
            return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw))

        deployed = transact(w3.eth.contract(abi=BOX_ABI, bytecode=BOX_CODE).constructor())
        box = w3.eth.contract(deployed.contractAddress, abi=BOX_ABI)
        receipt = transact(box.functions.set(77))

        assert box.functions.get().call() == 77
        assert box.functions.get().call(block_identifier=deployed.blockNumber) == 0
        (event,) = box.events.Stored().get_logs(from_block=0, argument_filters={"value": 77})
        assert event.args.same == 77
        assert event.transactionHash == receipt.transactionHash
        with pytest.raises(ContractLogicError, match="zero"):
            box.functions.set(0).call()

    def test_sends_requests_in_batches(self, w3: Web3, wallet: Wallet) -> None:
        with w3.batch_requests() as batch:
            batch.add(w3.eth.get_block("latest"))
            batch.add(w3.eth.get_balance(Web3.to_checksum_address(wallet.address)))
            answers: list[Any] = list(batch.execute())

        assert answers[0].number == 0
        assert answers[1] == 10_000 * 10**18
