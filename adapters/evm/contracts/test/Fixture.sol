// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow} from "../src/SwitchyardEscrow.sol";
import {TestUSDT} from "../src/TestUSDT.sol";
import {Test} from "./Test.sol";
import {OddToken} from "./Tokens.sol";

/// @dev An escrow with one account in every role, and a payer with plenty of everything.
abstract contract Fixture is Test {
    uint256 internal constant AMOUNT = 1_000_000;
    uint256 internal constant FEE = 10_000;
    uint256 internal constant GAS_CAP = 200_000;
    address internal constant NATIVE = address(0);
    uint256 internal constant START = 1_800_000_000;

    address internal owner = account("owner");
    address internal operator = account("operator");
    address internal arbiter = account("arbiter");
    address internal treasury = account("treasury");
    address internal payer = account("payer");
    address internal merchant = account("merchant");
    address internal stranger = account("stranger");

    SwitchyardEscrow internal escrow;
    TestUSDT internal usdt;
    OddToken internal odd;

    function setUp() public virtual {
        vm.warp(START);
        escrow = new SwitchyardEscrow(owner, operator, arbiter, treasury, uint64(GAS_CAP));
        usdt = new TestUSDT();
        odd = new OddToken();
        usdt.mint(payer, 1_000_000e6);
        odd.mint(payer, 1e30);
        vm.deal(payer, 1e30);
        vm.prank(payer);
        usdt.approve(address(escrow), type(uint256).max);
        vm.prank(payer);
        odd.approve(address(escrow), type(uint256).max);
    }

    function terms(address token) internal view returns (SwitchyardEscrow.Terms memory) {
        return SwitchyardEscrow.Terms({
            ref: "pi_1",
            merchant: merchant,
            token: token,
            amount: AMOUNT,
            feeBps: 100,
            payBy: uint48(START + 1 hours),
            autoReleaseAt: uint48(START + 7 days),
            refundUntil: uint48(START + 14 days)
        });
    }

    function terms(address token, address to, uint256 number)
        internal
        view
        returns (SwitchyardEscrow.Terms memory made)
    {
        made = terms(token);
        made.merchant = to;
        made.ref = bytes32(number);
    }

    function paid(SwitchyardEscrow.Terms memory made) internal returns (SwitchyardEscrow.Terms memory) {
        vm.prank(payer);
        escrow.pay{value: made.token == NATIVE ? made.amount : 0}(made);
        return made;
    }

    function disputed(SwitchyardEscrow.Terms memory made) internal returns (SwitchyardEscrow.Terms memory) {
        paid(made);
        vm.prank(payer);
        escrow.dispute(made);
        return made;
    }

    function status(SwitchyardEscrow.Terms memory made) internal view returns (SwitchyardEscrow.Status) {
        return escrow.payments(escrow.paymentId(made)).status;
    }

    function assertStatus(SwitchyardEscrow.Terms memory made, SwitchyardEscrow.Status expected) internal view {
        assertEq(uint256(status(made)), uint256(expected), "status");
    }
}
