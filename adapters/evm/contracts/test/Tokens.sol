// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A token as the standard says, with one switch for each way in which tokens are not.
contract OddToken {
    enum Oddity {
        None,
        TakesFee,
        ReturnsFalse,
        ReturnsNothing,
        ReturnsTwo,
        ReturnsOneByte,
        BurnsGas,
        ReturnsMegabyte
    }

    Oddity public oddity;
    mapping(address account => bool) public denied;
    mapping(address account => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;
    /// @dev Called before tokens move, as an ERC-777 sender hook is.
    address public hook;

    function setOddity(Oddity oddity_) external {
        oddity = oddity_;
    }

    function setDenied(address account, bool isDenied) external {
        denied[account] = isDenied;
    }

    function setHook(address hook_) external {
        hook = hook_;
    }

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (oddity == Oddity.BurnsGas) while (true) {}
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
        _move(msg.sender, to, value);
        if (oddity == Oddity.ReturnsNothing) assembly { return(0, 0) }
        if (oddity == Oddity.ReturnsMegabyte) {
            assembly {
                mstore(0, 1)
                return(0, 1048576)
            }
        }
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (oddity == Oddity.ReturnsFalse) return false;
        allowance[from][msg.sender] -= value;
        if (hook != address(0)) Hook(hook).beforeTransfer();
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) private {
        require(!denied[from] && !denied[to], "denied");
        balanceOf[from] -= value;
        balanceOf[to] += oddity == Oddity.TakesFee ? value - 1 : value;
    }
}

interface Hook {
    function beforeTransfer() external;
}
