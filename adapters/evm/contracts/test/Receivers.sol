// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow} from "../src/SwitchyardEscrow.sol";

/// @dev A merchant or payer with code, as unpleasant as it is told to be when native coin arrives.
contract Receiver {
    enum Manner {
        Accepts,
        Rejects,
        BurnsGas,
        ReturnsMegabyte,
        Reenters
    }

    SwitchyardEscrow public immutable escrow;
    Manner public manner;
    bytes[] private _reentries;
    uint256 public refused;
    uint256 public succeeded;

    constructor(SwitchyardEscrow escrow_) {
        escrow = escrow_;
    }

    function setManner(Manner manner_) external {
        manner = manner_;
    }

    /// @dev What to call while being paid, each with a million wei if `pay` wants it.
    function setReentries(bytes[] calldata reentries) external {
        for (uint256 i = 0; i < reentries.length; ++i) {
            _reentries.push(reentries[i]);
        }
    }

    /// @dev Acts as this contract towards the escrow.
    function act(bytes calldata input, uint256 value) external payable returns (bytes memory) {
        (bool success, bytes memory output) = address(escrow).call{value: value}(input);
        if (!success) assembly { revert(add(output, 32), mload(output)) }
        return output;
    }

    function beforeTransfer() external {
        _reenter();
    }

    receive() external payable {
        if (manner == Manner.Rejects) revert("rejected");
        if (manner == Manner.BurnsGas) while (true) {}
        if (manner == Manner.ReturnsMegabyte) assembly { return(0, 1048576) }
        if (manner == Manner.Reenters) _reenter();
    }

    /// @dev Counts the calls that the guard refused apart from those that got in or failed for another reason.
    function _reenter() private {
        for (uint256 i = 0; i < _reentries.length; ++i) {
            bytes memory input = _reentries[i];
            uint256 value = bytes4(input) == SwitchyardEscrow.pay.selector ? 1_000_000 : 0;
            (bool success, bytes memory output) = address(escrow).call{value: value}(input);
            if (success) ++succeeded;
            else if (bytes4(output) == bytes4(keccak256("ReentrancyGuardReentrantCall()"))) ++refused;
        }
    }
}
