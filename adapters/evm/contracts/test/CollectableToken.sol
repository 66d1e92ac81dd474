// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A token whose `transfer` answers in each way there is; what does not count as success moves nothing.
contract CollectableToken {
    enum Oddity {
        None,
        ReturnsNothing,
        ReturnsMegabyte,
        Reverts,
        RevertsWithMegabyte,
        ReturnsFalse,
        ReturnsTwo,
        ReturnsOneByte,
        TellsNoBalance,
        BurnsGas
    }

    Oddity public oddity;
    mapping(address account => uint256) private held;
    address private hook;
    bytes private hookCall;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function setOddity(Oddity oddity_) external {
        oddity = oddity_;
    }

    /// @dev Has a call made, and its failure be the transfer's, before tokens move, as an ERC-777 sender hook is.
    function setHook(address target, bytes calldata call_) external {
        (hook, hookCall) = (target, call_);
    }

    function mint(address to, uint256 value) external {
        held[to] += value;
    }

    function balanceOf(address account) external view returns (uint256) {
        // The tests themselves want to know, and the collector is the only one to ask for itself.
        require(oddity != Oddity.TellsNoBalance || msg.sender != account, "no answer");
        return held[account];
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (oddity == Oddity.BurnsGas) while (true) {}
        if (oddity == Oddity.Reverts) revert("denied");
        if (oddity == Oddity.RevertsWithMegabyte) {
            assembly {
                revert(0, 1048576)
            }
        }
        if (oddity == Oddity.ReturnsFalse) return false;
        if (oddity == Oddity.ReturnsTwo) {
            assembly {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (oddity == Oddity.ReturnsOneByte) {
            assembly {
                mstore8(0, 1)
                return(0, 1)
            }
        }
        if (hook != address(0)) {
            (bool success,) = hook.call(hookCall);
            require(success, "hook");
        }
        held[msg.sender] -= value;
        held[to] += value;
        emit Transfer(msg.sender, to, value);
        if (oddity == Oddity.ReturnsNothing) assembly { return(0, 0) }
        if (oddity == Oddity.ReturnsMegabyte) {
            assembly {
                mstore(0, 1)
                return(0, 1048576)
            }
        }
        return true;
    }
}
