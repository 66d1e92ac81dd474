"""The calls and events of the contracts, as far as they are spoken to here.

Signatures are those of Uniswap's v2-core and v2-periphery interfaces, of ERC-20 and of WETH9; the
layout is the Solidity ABI's (https://docs.soliditylang.org/en/latest/abi-spec.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD: Final = 32
ADDRESS_BYTES: Final = 20
UINT112_MAX: Final = 2**112 - 1
"""The most of a token that a pair can hold (``UniswapV2Pair._update``: OVERFLOW)."""

_SELECTOR_BYTES = 4
_STATIC_WORDS = {True: 5, False: 4}
"""How many words stand before the path's own: with and without the amount that goes in."""


def selector(signature: str) -> bytes:
    """Return the first four bytes of a call's data."""
    return keccak(signature.encode("ascii"))[:_SELECTOR_BYTES]


def topic(signature: str) -> str:
    """Return an event's first topic, as ``0x`` hex."""
    return "0x" + keccak(signature.encode("ascii")).hex()


ALLOWANCE: Final = selector("allowance(address,address)")
APPROVE: Final = selector("approve(address,uint256)")
FACTORY: Final = selector("factory()")
WRAPPED: Final = selector("WETH()")
GET_PAIR: Final = selector("getPair(address,address)")
GET_RESERVES: Final = selector("getReserves()")
SWAP_TOKENS: Final = selector(
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
)
SWAP_TOKENS_FOR_COIN: Final = selector(
    "swapExactTokensForETH(uint256,uint256,address[],address,uint256)"
)
SWAP_COIN: Final = selector("swapExactETHForTokens(uint256,address[],address,uint256)")

TRANSFER_EVENT: Final = topic("Transfer(address,address,uint256)")
SWAP_EVENT: Final = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
DEPOSIT_EVENT: Final = topic("Deposit(address,uint256)")
WITHDRAWAL_EVENT: Final = topic("Withdrawal(address,uint256)")


def uint_word(value: int) -> bytes:
    """Encode an unsigned integer.

    Raises:
        OverflowError: it is negative or needs more than 256 bits.
    """
    return value.to_bytes(WORD, "big")


def address_word(address: str) -> bytes:
    """Encode an address given as ``0x`` and 40 hex digits."""
    return bytes.fromhex(address[2:]).rjust(WORD, b"\0")


def numbers_of(data: bytes) -> tuple[int, ...]:
    """Decode whole words as unsigned integers; nothing where the data is not whole words."""
    if len(data) % WORD:
        return ()
    return tuple(int.from_bytes(data[at : at + WORD], "big") for at in range(0, len(data), WORD))


def address_of(word: int | str) -> str:
    """Decode an address from a number or from a topic: its last 20 bytes, lower case."""
    number = int(word, 16) if isinstance(word, str) else word
    return "0x" + number.to_bytes(WORD, "big")[-ADDRESS_BYTES:].hex()


def pair_call(one: str, other: str) -> bytes:
    """Return the factory's ``getPair``."""
    return GET_PAIR + address_word(one) + address_word(other)


def allowance_call(owner: str, spender: str) -> bytes:
    """Return a token's ``allowance``."""
    return ALLOWANCE + address_word(owner) + address_word(spender)


def approve_call(spender: str, amount: int) -> bytes:
    """Return a token's ``approve``."""
    return APPROVE + address_word(spender) + uint_word(amount)


def swap_call(
    function: bytes,
    *,
    amount_in: int | None,
    minimum_out: int,
    route: Sequence[str],
    recipient: str,
    deadline: int,
) -> bytes:
    """Return one of the router's swaps of an exact input.

    Args:
        function: The selector of `SWAP_TOKENS`, `SWAP_TOKENS_FOR_COIN` or `SWAP_COIN`.
        amount_in: Smallest units; None for `SWAP_COIN`, which takes the value sent along.
        minimum_out: Smallest units.
        route: Tokens' addresses.
        recipient: Who gets what comes out.
        deadline: Unix seconds; a block of this very second is in time.
    """
    offset = WORD * _STATIC_WORDS[amount_in is not None]
    return b"".join(
        (
            function,
            b"" if amount_in is None else uint_word(amount_in),
            uint_word(minimum_out),
            uint_word(offset),
            address_word(recipient),
            uint_word(deadline),
            uint_word(len(route)),
            *(address_word(token) for token in route),
        )
    )
