// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Switchyard collector
/// @notice Brings the tokens of many deposit addresses to one account, for ever the same, in one transaction.
///
/// @dev A deposit address delegates to this contract (EIP-7702): this code then runs as the address's own. All it can
/// do there is {move}, which sends the whole balance of a token to {destination}. So it does not matter who calls it,
/// nor who calls {collect}: the money goes where it was going anyway, and the caller pays for it.
///
/// There is no owner and no storage. The destination is part of the code, so an address that has delegated cannot be
/// turned to another one but by its own key.
///
/// To everything else an address that has delegated answers as one without code: it takes coins and ignores calls.
/// It needs some gas for that, so whoever sends it coins with 21,000 gas and no more is refused.
// Coins stay with the address that took them, whose own key moves them; the collector itself takes none.
// slither-disable-next-line locked-ether
contract SwitchyardCollector is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice Nothing has come of one place of a batch: its tokens are where they were.
    /// @param place Its number in the lists, from zero.
    event Missed(uint256 indexed place);

    error InvalidDestination(address destination);
    error UnequalLengths(uint256 holders, uint256 tokens);
    error NotForCoins();

    /// @dev Of a place's share of the gas, kept for {Missed} and the loop: a token that burns all it is given cannot
    /// burn that.
    uint256 private constant KEPT_GAS = 6_000;

    /// @notice Where all tokens go: the gateway's hot wallet.
    address public immutable destination;

    /// @dev This contract's own address, in whichever account's name its code runs.
    address private immutable collector;

    /// @param destination_ Where all tokens go.
    constructor(address destination_) {
        if (destination_ == address(0)) revert InvalidDestination(destination_);
        destination = destination_;
        collector = address(this);
    }

    /// @notice As an account without code, an address that has delegated takes coins. The collector takes none.
    receive() external payable {
        if (address(this) == collector) revert NotForCoins();
    }

    /// @notice As an account without code, an address that has delegated ignores what it is told.
    fallback() external payable {
        if (address(this) == collector) revert NotForCoins();
    }

    /// @notice Move the whole balances of some holders that have delegated to this contract.
    ///
    /// Each place succeeds or fails for itself; one that fails is told by {Missed}. It has its share of the gas that is
    /// left and what those before it did not need, so that no token can use up that of the others.
    /// @param holders The addresses, one for each place.
    /// @param tokens The token of each place.
    function collect(address[] calldata holders, address[] calldata tokens) external nonReentrant {
        uint256 count = holders.length;
        if (count != tokens.length) revert UnequalLengths(count, tokens.length);
        for (uint256 place = 0; place < count; ++place) {
            if (!_tryMove(holders[place], tokens[place], gasleft() / (count - place))) emit Missed(place);
        }
    }

    /// @notice Send all that this account holds of a token to {destination}.
    /// @param token The token's contract.
    /// @return moved Whether anything was there, and the token has moved it.
    function move(address token) external returns (bool moved) {
        uint256 held = IERC20(token).balanceOf(address(this));
        return held != 0 && IERC20(token).trySafeTransfer(destination, held);
    }

    /// @dev Has a holder move a token. An account without code answers nothing, which is no success. At most one word
    /// of what comes back is copied, so that no answer can cost much.
    function _tryMove(address holder, address token, uint256 share) private returns (bool moved) {
        bytes memory input = abi.encodeCall(this.move, (token));
        uint256 gasLimit = share > KEPT_GAS ? share - KEPT_GAS : 0;
        // Solidity has no call that copies a bounded part of the return value.
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            moved := call(gasLimit, holder, 0, add(input, 0x20), mload(input), 0x00, 0x20)
            moved := and(moved, and(gt(returndatasize(), 0x1f), eq(mload(0x00), 1)))
        }
    }
}
