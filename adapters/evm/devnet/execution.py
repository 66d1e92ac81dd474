"""``eth_call`` and ``eth_estimateGas``: messages run on a state that is thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from eth.exceptions import InvalidInstruction, OutOfGas, Revert
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from adapters.evm.devnet.protocol import EXECUTION_REVERTED, SERVER_ERROR, RpcError
from adapters.evm.devnet.rules import GAS_LIMIT, floor_gas

if TYPE_CHECKING:
    from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, StateAPI
    from eth.exceptions import VMError

    from adapters.evm.devnet.arguments import CallRequest
    from adapters.evm.devnet.chain import DevnetChain

TRANSFER_GAS = 21_000
ESTIMATE_TOLERANCE_PERMILLE = 15
"""An estimate may be this much too high (geth's ``estimateGasErrorRatio``)."""

_ERROR_SELECTOR = bytes.fromhex("08c379a0")  # Error(string)


def call(chain: DevnetChain, header: BlockHeaderAPI, request: CallRequest) -> bytes:
    """Run a message after a block and return its output.

    Raises:
        RpcError: It reverted (code 3, with the revert data) or failed otherwise.
    """
    gas = min(request.gas or GAS_LIMIT, GAS_LIMIT)
    computation = _run(chain, header, request, gas=gas)
    if computation.is_error:
        raise _failure(computation)
    output: bytes = computation.output
    return output


def estimate_gas(chain: DevnetChain, header: BlockHeaderAPI, request: CallRequest) -> int:
    """Find a gas limit, at most 1.5% too high, with which a message succeeds.

    The search is geth's: one run with all the gas tells what is used, a second one close to that
    narrows the range, halving does the rest.

    Raises:
        RpcError: It fails with any amount of gas.
    """
    highest = min(request.gas or GAS_LIMIT, GAS_LIMIT)
    first = _run(chain, header, request, gas=highest)
    if first.is_error:
        raise _failure(first)
    used = highest - first.get_gas_remaining()
    lowest = max(used - first.get_gas_refund(), floor_gas(request.data)) - 1
    # A call may need gas it does not use: 1/64 stays behind at each level, and a transfer of
    # value lends 2,300.
    likely = (used + 2_300) * 64 // 63
    if used == TRANSFER_GAS:
        likely = used
    while lowest + 1 < highest:
        if highest * 1000 <= (max(lowest, 1)) * (1000 + ESTIMATE_TOLERANCE_PERMILLE):
            break
        middle = likely if lowest < likely < highest else (lowest + highest) // 2
        likely = 0
        if _succeeds(chain, header, request, gas=middle):
            highest = middle
        else:
            lowest = middle
    return highest


def _succeeds(
    chain: DevnetChain, header: BlockHeaderAPI, request: CallRequest, *, gas: int
) -> bool:
    try:
        return not _run(chain, header, request, gas=gas).is_error
    except RpcError:
        return False


def _run(
    chain: DevnetChain, header: BlockHeaderAPI, request: CallRequest, *, gas: int
) -> ComputationAPI:
    """Apply a message as a free transaction of its sender.

    Gas price and base fee are zero, as in geth when none is named, so that a caller needs no
    balance for gas.
    """
    state = chain.vm(header.copy(base_fee_per_gas=0)).state
    balance = state.get_balance(request.sender)
    if balance < request.value:
        raise RpcError(
            SERVER_ERROR,
            "insufficient funds for gas * price + value:"
            f" address {to_checksum_address(request.sender)} have {balance} want {request.value}",
        )
    transaction = _message(state, chain, request, gas=gas)
    least = max(transaction.intrinsic_gas, floor_gas(request.data))
    if least > gas:
        raise RpcError(SERVER_ERROR, f"intrinsic gas too low: have {gas}, want {least}")
    return state.apply_transaction(transaction)


def _message(
    state: StateAPI, chain: DevnetChain, request: CallRequest, *, gas: int
) -> SignedTransactionAPI:
    unsigned = chain.transactions.new_unsigned_dynamic_fee_transaction(  # type: ignore[attr-defined]  # Not in the interface.
        chain_id=chain.chain_id,
        nonce=state.get_nonce(request.sender),
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
        gas=gas,
        to=request.to,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
    )
    # A spoof answers for every attribute of a signed transaction without being one.
    return cast("SignedTransactionAPI", SpoofTransaction(unsigned, from_=request.sender))


def _failure(computation: ComputationAPI) -> RpcError:
    error = computation.error
    if isinstance(error, Revert):
        output = computation.output
        reason = _reason(output)
        message = f"execution reverted: {reason}" if reason else "execution reverted"
        return RpcError(EXECUTION_REVERTED, message, data="0x" + output.hex())
    return RpcError(SERVER_ERROR, _vm_message(error))


def _vm_message(error: VMError) -> str:
    if isinstance(error, OutOfGas):
        return "out of gas"
    if isinstance(error, InvalidInstruction):
        return "invalid opcode"
    return str(error) or type(error).__name__


def _reason(output: bytes) -> str | None:
    """Return the text of a ``revert("…")``, None for any other revert."""
    if output[:4] != _ERROR_SELECTOR:
        return None
    try:
        (reason,) = decode(["string"], output[4:])
    except DecodingError:
        return None
    return str(reason)
