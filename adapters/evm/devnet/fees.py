"""What a transaction should pay: gas price, tip and fee history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.devnet import arguments
from adapters.evm.devnet.protocol import SERVER_ERROR, InvalidParams, RpcError

if TYPE_CHECKING:
    from adapters.evm.devnet.chain import SealedBlock
    from adapters.evm.devnet.node import DevnetNode

SUGGESTED_TIP_WEI = 10**9
MAX_HISTORY_BLOCKS = 1_024
MAX_PERCENTILES = 100


def gas_price(node: DevnetNode) -> int:
    """Return a legacy gas price, in wei, that the next block accepts."""
    return node.next_base_fee() + SUGGESTED_TIP_WEI


def fee_history(
    node: DevnetNode, block_count: object, newest: object, percentiles: object = None
) -> dict[str, object]:
    """Answer ``eth_feeHistory``: base fees (one more than blocks), fullness and tips paid.

    Raises:
        RpcError: The arguments are malformed or the newest block does not exist.
    """
    wanted = min(arguments.count(block_count, "blockCount"), MAX_HISTORY_BLOCKS)
    last = arguments.block_number(node, newest)
    head = node.chain.head
    if last > head.block_number:
        raise RpcError(
            SERVER_ERROR,
            f"request beyond head block: requested {last}, head {head.block_number}",
        )
    shares = _percentiles(percentiles)
    first = max(last - wanted + 1, 0)
    headers = [arguments.existing_block(node, hex(number)) for number in range(first, last + 1)]
    base_fees = [one.base_fee_per_gas or 0 for one in headers]
    if wanted:
        following = arguments.block(node, hex(last + 1))
        base_fees.append((following.base_fee_per_gas or 0) if following else node.next_base_fee())
    answer: dict[str, object] = {
        "oldestBlock": hex(first if wanted else 0),
        "baseFeePerGas": [hex(fee) for fee in base_fees],
        "gasUsedRatio": [one.gas_used / one.gas_limit for one in headers],
    }
    if shares:
        answer["reward"] = [_rewards(node.chain.block(one), shares) for one in headers]
    return answer


def _rewards(sealed: SealedBlock, shares: list[float]) -> list[str]:
    """Return the tip at each share of the block's gas, cheapest transactions first."""
    base_fee = sealed.header.base_fee_per_gas or 0
    tips = sorted(
        (min(one.max_priority_fee_per_gas, one.max_fee_per_gas - base_fee), sealed.gas_used(index))
        for index, one in enumerate(sealed.transactions)
    )
    rewards = []
    for share in shares:
        threshold = sealed.header.gas_used * share / 100
        reward = running = 0
        for tip, gas in tips:
            reward = tip
            running += gas
            if running >= threshold:
                break
        rewards.append(hex(reward))
    return rewards


def _percentiles(value: object) -> list[float]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_PERCENTILES:
        raise InvalidParams("invalid argument rewardPercentiles: a list wanted")
    shares = [one for one in value if isinstance(one, int | float) and 0 <= one <= 100]  # noqa: PLR2004 - per cent
    if len(shares) != len(value) or shares != sorted(shares):
        raise InvalidParams("invalid argument rewardPercentiles: not rising from 0 to 100")
    return shares
