// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {Fixture} from "./Fixture.sol";
import {Receiver} from "./Receivers.sol";
import {OddToken} from "./Tokens.sol";

/// @dev Receivers and tokens that misbehave: nobody else may lose by it, and no payment may get stuck.
contract HostileTest is Fixture {
    Receiver internal receiver;

    function setUp() public override {
        super.setUp();
        receiver = new Receiver(escrow);
    }

    // -- reentrancy

    /// @dev Every function that moves money, aimed at payments for which the call would be legal.
    function reentries() internal returns (bytes[] memory calls) {
        Escrow.Terms[9] memory made;
        for (uint256 i = 1; i < made.length; ++i) {
            made[i] = terms(NATIVE, address(receiver), 100 + i);
            made[i].autoReleaseAt = made[i].payBy;
            if (i > 1) paid(made[i]);
        }
        vm.prank(payer);
        escrow.dispute(made[6]);
        vm.prank(payer);
        escrow.dispute(made[7]);
        Escrow.Terms[] memory batch = new Escrow.Terms[](1);
        batch[0] = made[8];
        calls = new bytes[](10);
        calls[0] = abi.encodeCall(escrow.pay, (made[1]));
        calls[1] = abi.encodeCall(escrow.release, (made[2]));
        calls[2] = abi.encodeCall(escrow.refund, (made[3]));
        calls[3] = abi.encodeCall(escrow.reclaim, (made[4]));
        calls[4] = abi.encodeCall(escrow.dispute, (made[5]));
        calls[5] = abi.encodeCall(escrow.resolve, (made[6], 0));
        calls[6] = abi.encodeCall(escrow.claimUnresolved, (made[7]));
        calls[7] = abi.encodeCall(escrow.releaseBatch, (batch));
        calls[8] = abi.encodeCall(escrow.withdraw, (NATIVE));
        calls[9] = abi.encodeCall(escrow.withdrawTo, (NATIVE, stranger));
        // The receiver would have every right, were it not inside a call.
        vm.prank(owner);
        escrow.setOperator(address(receiver), true);
        vm.prank(owner);
        escrow.setArbiter(address(receiver));
        vm.prank(owner);
        escrow.setPushGasCap(0);
        vm.deal(address(receiver), 1e20);
        receiver.setReentries(calls);
        receiver.setManner(Receiver.Manner.Reenters);
    }

    function assertAllRefused() internal view {
        assertEq(receiver.refused(), 10, "refused by the guard");
        assertEq(receiver.succeeded(), 0, "got in");
    }

    function test_a_merchant_cannot_reenter_while_being_paid() public {
        Escrow.Terms memory made = paid(terms(NATIVE, address(receiver), 1));
        reentries();
        vm.prank(payer);
        escrow.release(made);
        assertAllRefused();
        assertStatus(made, Escrow.Status.Released);
    }

    function test_a_payer_cannot_reenter_while_being_refunded() public {
        Escrow.Terms memory made = terms(NATIVE);
        vm.deal(address(this), AMOUNT);
        receiver.act{value: AMOUNT}(abi.encodeCall(escrow.pay, (made)), AMOUNT);
        reentries();
        vm.prank(merchant);
        escrow.refund(made);
        assertAllRefused();
    }

    function test_an_account_cannot_reenter_while_withdrawing() public {
        receiver.setManner(Receiver.Manner.Rejects);
        Escrow.Terms memory made = paid(terms(NATIVE, address(receiver), 1));
        vm.prank(payer);
        escrow.release(made);
        reentries();
        receiver.act(abi.encodeCall(escrow.withdraw, (NATIVE)), 0);
        assertAllRefused();
        assertEq(escrow.credits(address(receiver), NATIVE), 0, "taken once");
    }

    function test_a_token_cannot_reenter_while_it_is_collected() public {
        reentries();
        odd.setHook(address(receiver));
        paid(terms(address(odd)));
        assertAllRefused();
    }

    // -- receivers that cannot be paid

    function test_a_merchant_that_cannot_be_paid_is_credited() public {
        Receiver.Manner[2] memory manners = [Receiver.Manner.BurnsGas, Receiver.Manner.Rejects];
        for (uint256 i = 0; i < manners.length; ++i) {
            receiver.setManner(manners[i]);
            Escrow.Terms memory made = paid(terms(NATIVE, address(receiver), i));
            vm.prank(payer);
            escrow.release(made);
            assertStatus(made, Escrow.Status.Released);
        }
        uint256 credit = 2 * (AMOUNT - FEE);
        assertEq(escrow.credits(address(receiver), NATIVE), credit, "credited");

        vm.expectPartialRevert(Escrow.WithdrawalFailed.selector);
        receiver.act(abi.encodeCall(escrow.withdraw, (NATIVE)), 0);
        receiver.act(abi.encodeCall(escrow.withdrawTo, (NATIVE, stranger)), 0);
        assertEq(stranger.balance, credit, "elsewhere");
    }

    function test_a_payer_that_cannot_be_paid_is_credited() public {
        vm.deal(address(this), AMOUNT);
        Escrow.Terms memory made = terms(NATIVE);
        receiver.act{value: AMOUNT}(abi.encodeCall(escrow.pay, (made)), AMOUNT);
        receiver.setManner(Receiver.Manner.Rejects);
        vm.prank(operator);
        escrow.refund(made);
        assertEq(escrow.credits(address(receiver), NATIVE), AMOUNT, "credited");
    }

    function test_a_huge_return_value_costs_its_sender_only() public {
        receiver.setManner(Receiver.Manner.ReturnsMegabyte);
        vm.prank(owner);
        escrow.setPushGasCap(0);
        Escrow.Terms memory made = paid(terms(NATIVE, address(receiver), 1));
        vm.prank(payer);
        uint256 before = gasleft();
        escrow.release(made);
        // A megabyte of memory costs its sender 2.2 million; copying it here would cost as much again.
        assertTrue(before - gasleft() < 2_500_000, "not copied");
    }

    function test_gas_burners_cost_a_batch_the_cap_and_no_more() public {
        receiver.setManner(Receiver.Manner.BurnsGas);
        Escrow.Terms[] memory batch = new Escrow.Terms[](20);
        for (uint256 i = 0; i < batch.length; ++i) {
            batch[i] = paid(terms(NATIVE, i % 2 == 0 ? address(receiver) : merchant, i));
        }
        vm.prank(operator);
        uint256 before = gasleft();
        assertEq(escrow.releaseBatch{gas: 10 * GAS_CAP + 20 * 60_000}(batch), 20, "all ended");
        assertTrue(before - gasleft() < 10 * GAS_CAP + 20 * 60_000, "bounded");
        assertEq(merchant.balance, 10 * (AMOUNT - FEE), "others are paid");
        assertEq(escrow.credits(address(receiver), NATIVE), 10 * (AMOUNT - FEE), "burner is credited");
    }

    // -- tokens

    function test_a_token_with_a_transfer_fee_is_refused() public {
        odd.setOddity(OddToken.Oddity.TakesFee);
        Escrow.Terms memory made = terms(address(odd));
        vm.expectRevert(abi.encodeWithSelector(Escrow.WrongAmountReceived.selector, address(odd), AMOUNT, AMOUNT - 1));
        vm.prank(payer);
        escrow.pay(made);
    }

    function test_a_token_that_says_no_is_not_collected() public {
        odd.setOddity(OddToken.Oddity.ReturnsFalse);
        Escrow.Terms memory made = terms(address(odd));
        vm.expectRevert();
        vm.prank(payer);
        escrow.pay(made);
    }

    function test_an_account_without_code_is_no_token() public {
        Escrow.Terms memory made = terms(stranger);
        vm.expectRevert();
        vm.prank(payer);
        escrow.pay(made);
    }

    function test_a_token_push_that_fails_becomes_a_credit() public {
        OddToken.Oddity[4] memory oddities = [
            OddToken.Oddity.ReturnsFalse,
            OddToken.Oddity.ReturnsTwo,
            OddToken.Oddity.ReturnsOneByte,
            OddToken.Oddity.BurnsGas
        ];
        for (uint256 i = 0; i < oddities.length; ++i) {
            Escrow.Terms memory made = paid(terms(address(odd), merchant, i));
            odd.setOddity(oddities[i]);
            vm.prank(payer);
            escrow.release{gas: 600_000}(made);
            odd.setOddity(OddToken.Oddity.None);
            assertEq(escrow.credits(merchant, address(odd)), (i + 1) * (AMOUNT - FEE), "credited");
            assertEq(odd.balanceOf(merchant), 0, "not paid");
        }
        vm.prank(merchant);
        escrow.withdraw(address(odd));
        assertEq(odd.balanceOf(merchant), 4 * (AMOUNT - FEE), "withdrawn");
    }

    function test_token_answers_that_mean_yes() public {
        OddToken.Oddity[3] memory oddities =
            [OddToken.Oddity.None, OddToken.Oddity.ReturnsNothing, OddToken.Oddity.ReturnsMegabyte];
        vm.prank(owner);
        escrow.setPushGasCap(0);
        for (uint256 i = 0; i < oddities.length; ++i) {
            Escrow.Terms memory made = paid(terms(address(odd), merchant, i));
            odd.setOddity(oddities[i]);
            vm.prank(payer);
            escrow.release(made);
            odd.setOddity(OddToken.Oddity.None);
            assertEq(odd.balanceOf(merchant), (i + 1) * (AMOUNT - FEE), "paid");
        }
        assertEq(escrow.credits(merchant, address(odd)), 0, "no credit");
    }

    function test_a_denied_merchant_is_credited_and_a_denied_payer_too() public {
        Escrow.Terms memory first = paid(terms(address(odd), merchant, 1));
        Escrow.Terms memory second = disputed(terms(address(odd), merchant, 2));
        odd.setDenied(merchant, true);
        odd.setDenied(payer, true);
        vm.prank(operator);
        escrow.release(first);
        vm.prank(arbiter);
        escrow.resolve(second, 1_000);
        assertEq(escrow.credits(payer, address(odd)), 1_000, "payer");
        assertEq(escrow.credits(merchant, address(odd)), AMOUNT - FEE + 989_010, "merchant");
        vm.prank(merchant);
        escrow.withdrawTo(address(odd), stranger);
        assertEq(odd.balanceOf(stranger), AMOUNT - FEE + 989_010, "elsewhere");
    }

    function test_a_token_whose_code_is_gone_blocks_nothing() public {
        Escrow.Terms memory made = paid(terms(address(odd)));
        bytes memory code = address(odd).code;
        vm.etch(address(odd), "");
        vm.prank(payer);
        escrow.release(made);
        assertEq(escrow.credits(merchant, address(odd)), AMOUNT - FEE, "credited");
        vm.expectRevert();
        vm.prank(merchant);
        escrow.withdraw(address(odd));
        vm.etch(address(odd), code);
        vm.prank(merchant);
        escrow.withdraw(address(odd));
        assertEq(odd.balanceOf(merchant), AMOUNT - FEE, "withdrawn");
    }
}
