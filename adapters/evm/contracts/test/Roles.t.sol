// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {Fixture} from "./Fixture.sol";

/// @dev What the owner can do, and above all what the owner cannot.
contract RolesTest is Fixture {
    function test_only_the_owner_appoints_and_pauses() public {
        bytes[7] memory calls = [
            abi.encodeCall(escrow.setOperator, (stranger, true)),
            abi.encodeCall(escrow.setArbiter, (stranger)),
            abi.encodeCall(escrow.setTreasury, (stranger)),
            abi.encodeCall(escrow.setPushGasCap, (1)),
            abi.encodeCall(escrow.pause, ()),
            abi.encodeCall(escrow.unpause, ()),
            abi.encodeCall(escrow.transferOwnership, (stranger))
        ];
        address[4] memory others = [operator, arbiter, treasury, stranger];
        for (uint256 i = 0; i < calls.length; ++i) {
            for (uint256 j = 0; j < others.length; ++j) {
                vm.prank(others[j]);
                (bool success, bytes memory reason) = address(escrow).call(calls[i]);
                assertTrue(!success, "refused");
                assertTrue(bytes4(reason) == Ownable.OwnableUnauthorizedAccount.selector, "as not the owner");
            }
            vm.prank(owner);
            (bool allowed,) = address(escrow).call(calls[i]);
            assertTrue(allowed, "the owner may");
        }
    }

    function test_the_arbiter_is_never_the_owner() public {
        vm.expectRevert(abi.encodeWithSelector(Escrow.InvalidRole.selector, owner));
        vm.prank(owner);
        escrow.setArbiter(owner);

        vm.prank(owner);
        escrow.transferOwnership(stranger);
        vm.prank(owner);
        escrow.setArbiter(stranger);
        vm.expectRevert(abi.encodeWithSelector(Escrow.InvalidRole.selector, stranger));
        vm.prank(stranger);
        escrow.acceptOwnership();

        vm.expectRevert(abi.encodeWithSelector(Escrow.InvalidRole.selector, owner));
        new Escrow(owner, operator, owner, treasury, 0);
    }

    function test_roles_are_never_nobody() public {
        bytes[4] memory calls = [
            abi.encodeCall(escrow.setOperator, (address(0), true)),
            abi.encodeCall(escrow.setArbiter, (address(0))),
            abi.encodeCall(escrow.setTreasury, (address(0))),
            abi.encodeCall(escrow.setTreasury, (address(escrow)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(owner);
            (bool success, bytes memory reason) = address(escrow).call(calls[i]);
            assertTrue(!success && bytes4(reason) == Escrow.InvalidRole.selector, "refused");
        }
    }

    function test_ownership_moves_in_two_steps_and_never_to_nobody() public {
        vm.expectPartialRevert(Escrow.OwnershipCannotBeRenounced.selector);
        vm.prank(owner);
        escrow.renounceOwnership();
        vm.prank(owner);
        escrow.transferOwnership(stranger);
        assertTrue(escrow.owner() == owner, "until accepted");
        vm.prank(stranger);
        escrow.acceptOwnership();
        assertTrue(escrow.owner() == stranger, "accepted");
    }

    function test_a_dismissed_operator_has_no_rights() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.prank(owner);
        escrow.setOperator(operator, false);
        vm.expectPartialRevert(Escrow.NotAllowed.selector);
        vm.prank(operator);
        escrow.refund(made);
    }

    function test_a_pause_stops_pay_and_nothing_else() public {
        Escrow.Terms[5] memory made;
        for (uint256 i = 0; i < made.length; ++i) {
            made[i] = paid(terms(NATIVE, merchant, i));
        }
        vm.prank(owner);
        escrow.pause();

        Escrow.Terms memory next = terms(NATIVE, merchant, 9);
        vm.expectPartialRevert(Pausable.EnforcedPause.selector);
        vm.prank(payer);
        escrow.pay{value: AMOUNT}(next);

        vm.prank(payer);
        escrow.release(made[0]);
        vm.prank(merchant);
        escrow.refund(made[1]);
        vm.prank(payer);
        escrow.dispute(made[2]);
        vm.prank(arbiter);
        escrow.resolve(made[2], 1);
        vm.prank(payer);
        escrow.dispute(made[3]);
        vm.warp(made[4].refundUntil);
        vm.prank(payer);
        escrow.reclaim(made[4]);
        vm.warp(START + 30 days);
        escrow.claimUnresolved(made[3]);
        vm.prank(treasury);
        escrow.withdraw(NATIVE);
        assertEq(address(escrow).balance, 0, "all went out");
    }

    function test_nothing_to_withdraw_and_nowhere_to() public {
        vm.expectPartialRevert(Escrow.NothingToWithdraw.selector);
        vm.prank(stranger);
        escrow.withdraw(NATIVE);
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.prank(operator);
        escrow.release(made);
        address[2] memory nowhere = [address(0), address(escrow)];
        for (uint256 i = 0; i < nowhere.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Escrow.InvalidRecipient.selector, nowhere[i]));
            vm.prank(treasury);
            escrow.withdrawTo(NATIVE, nowhere[i]);
        }
        vm.prank(treasury);
        assertEq(escrow.withdrawTo(NATIVE, stranger), FEE, "amount");
        assertEq(stranger.balance, FEE, "paid to the account named");
    }
}
