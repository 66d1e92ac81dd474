// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {Vm} from "./Test.sol";
import {Fixture} from "./Fixture.sol";

/// @dev The life of a payment among honest parties, and who may move it when.
contract PaymentsTest is Fixture {
    // -- pay

    function test_pay_holds_a_token() public {
        Escrow.Terms memory made = paid(terms(address(usdt)));
        assertStatus(made, Escrow.Status.Held);
        assertTrue(escrow.payments(escrow.paymentId(made)).payer == payer, "payer");
        assertEq(usdt.balanceOf(address(escrow)), AMOUNT, "held");
    }

    function test_pay_holds_native_coin() public {
        assertStatus(paid(terms(NATIVE)), Escrow.Status.Held);
        assertEq(address(escrow).balance, AMOUNT, "held");
    }

    function test_pay_takes_a_payment_once() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        bytes32 id = escrow.paymentId(made);
        vm.expectRevert(abi.encodeWithSelector(Escrow.WrongStatus.selector, id, Escrow.Status.None, Escrow.Status.Held));
        vm.prank(payer);
        escrow.pay{value: AMOUNT}(made);
    }

    function test_pay_takes_an_ended_payment_no_second_time() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.prank(operator);
        escrow.release(made);
        vm.expectPartialRevert(Escrow.WrongStatus.selector);
        vm.prank(payer);
        escrow.pay{value: AMOUNT}(made);
    }

    function test_pay_is_open_in_its_last_second_and_closed_in_the_next() public {
        Escrow.Terms memory made = terms(NATIVE);
        vm.warp(made.payBy + 1);
        refusedPay(made, AMOUNT, Escrow.TooLate.selector);
        vm.warp(made.payBy);
        paid(made);
    }

    function test_pay_refuses_bad_terms() public {
        Escrow.Terms memory made = terms(NATIVE);
        made.amount = 0;
        refusedPay(made, 0, Escrow.AmountOutOfRange.selector);
        made = terms(address(odd));
        made.amount = uint256(type(uint128).max) + 1;
        refusedPay(made, 0, Escrow.AmountOutOfRange.selector);
        made = terms(NATIVE);
        made.merchant = address(0);
        refusedPay(made, AMOUNT, Escrow.InvalidMerchant.selector);
        made.merchant = address(escrow);
        refusedPay(made, AMOUNT, Escrow.InvalidMerchant.selector);
        made = terms(NATIVE);
        made.feeBps = 1_001;
        refusedPay(made, AMOUNT, Escrow.FeeTooHigh.selector);
        made = terms(NATIVE);
        made.payBy = made.autoReleaseAt + 1;
        refusedPay(made, AMOUNT, Escrow.InvalidClocks.selector);
        made = terms(NATIVE);
        made.refundUntil = made.autoReleaseAt;
        refusedPay(made, AMOUNT, Escrow.InvalidClocks.selector);
        made.refundUntil = uint48(START + 730 days + 1);
        refusedPay(made, AMOUNT, Escrow.InvalidClocks.selector);
    }

    function test_pay_refuses_the_wrong_value() public {
        refusedPay(terms(NATIVE), AMOUNT - 1, Escrow.WrongValue.selector);
        refusedPay(terms(NATIVE), AMOUNT + 1, Escrow.WrongValue.selector);
        refusedPay(terms(address(usdt)), 1, Escrow.WrongValue.selector);
    }

    function test_plain_transfers_of_native_coin_are_refused() public {
        vm.prank(payer);
        (bool success,) = address(escrow).call{value: 1}("");
        assertTrue(!success, "refused");
    }

    function refusedPay(Escrow.Terms memory made, uint256 value, bytes4 reason) internal {
        vm.expectPartialRevert(reason);
        vm.prank(payer);
        escrow.pay{value: value}(made);
    }

    // -- release

    function test_release_pays_the_merchant_and_credits_the_treasury() public {
        for (uint256 i = 0; i < 2; ++i) {
            address token = i == 0 ? NATIVE : address(usdt);
            Escrow.Terms memory made = paid(terms(token));
            vm.prank(payer);
            escrow.release(made);
            assertStatus(made, Escrow.Status.Released);
            assertEq(token == NATIVE ? merchant.balance : usdt.balanceOf(merchant), AMOUNT - FEE, "merchant");
            assertEq(escrow.credits(treasury, token), FEE, "fee");
        }
    }

    function test_release_by_the_operator_needs_no_waiting() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.prank(operator);
        escrow.release(made);
        assertStatus(made, Escrow.Status.Released);
    }

    function test_release_by_anyone_waits_for_its_clock() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        address[4] memory others = [merchant, stranger, owner, arbiter];
        vm.warp(made.autoReleaseAt - 1);
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectPartialRevert(Escrow.TooEarly.selector);
            vm.prank(others[i]);
            escrow.release(made);
        }
        vm.warp(made.autoReleaseAt);
        vm.prank(stranger);
        escrow.release(made);
        assertStatus(made, Escrow.Status.Released);
    }

    function test_a_new_treasury_gets_later_fees_only() public {
        Escrow.Terms memory first = paid(terms(NATIVE, merchant, 1));
        Escrow.Terms memory second = paid(terms(NATIVE, merchant, 2));
        vm.prank(operator);
        escrow.release(first);
        vm.prank(owner);
        escrow.setTreasury(stranger);
        vm.prank(operator);
        escrow.release(second);
        assertEq(escrow.credits(treasury, NATIVE), FEE, "old treasury");
        assertEq(escrow.credits(stranger, NATIVE), FEE, "new treasury");
    }

    // -- refund and reclaim

    function test_refund_gives_the_payer_all_of_it() public {
        address[2] memory entitled = [merchant, operator];
        for (uint256 i = 0; i < entitled.length; ++i) {
            uint256 before = payer.balance;
            Escrow.Terms memory made = paid(terms(NATIVE, merchant, i));
            vm.prank(entitled[i]);
            escrow.refund(made);
            assertStatus(made, Escrow.Status.Refunded);
            assertEq(payer.balance, before, "all of it");
        }
    }

    function test_refund_is_no_right_of_others() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        address[4] memory others = [payer, stranger, owner, arbiter];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Escrow.NotAllowed.selector, escrow.paymentId(made), others[i]));
            vm.prank(others[i]);
            escrow.refund(made);
        }
    }

    function test_reclaim_waits_for_its_clock_and_is_the_payers() public {
        Escrow.Terms memory made = paid(terms(address(usdt)));
        vm.warp(made.refundUntil - 1);
        vm.expectPartialRevert(Escrow.TooEarly.selector);
        vm.prank(payer);
        escrow.reclaim(made);
        vm.warp(made.refundUntil);
        vm.expectPartialRevert(Escrow.NotAllowed.selector);
        vm.prank(operator);
        escrow.reclaim(made);
        vm.prank(payer);
        escrow.reclaim(made);
        assertStatus(made, Escrow.Status.Refunded);
        assertEq(usdt.balanceOf(payer), 1_000_000e6, "all of it");
    }

    // -- disputes

    function test_dispute_is_open_to_the_parties_until_its_clock() public {
        address[3] memory entitled = [payer, merchant, operator];
        for (uint256 i = 0; i < entitled.length; ++i) {
            Escrow.Terms memory made = paid(terms(NATIVE, merchant, i));
            vm.prank(entitled[i]);
            escrow.dispute(made);
            assertStatus(made, Escrow.Status.Disputed);
        }
        Escrow.Terms memory last = paid(terms(NATIVE, merchant, 9));
        vm.expectPartialRevert(Escrow.NotAllowed.selector);
        vm.prank(stranger);
        escrow.dispute(last);
        vm.warp(last.refundUntil);
        vm.expectPartialRevert(Escrow.TooLate.selector);
        vm.prank(payer);
        escrow.dispute(last);
        vm.warp(last.refundUntil - 1);
        vm.prank(payer);
        escrow.dispute(last);
    }

    function test_a_disputed_payment_waits_for_the_arbiter_alone() public {
        Escrow.Terms memory made = disputed(terms(NATIVE));
        vm.warp(made.refundUntil);
        address[6] memory all = [payer, merchant, operator, owner, arbiter, stranger];
        for (uint256 i = 0; i < all.length; ++i) {
            bytes[5] memory calls = [
                abi.encodeCall(escrow.release, (made)),
                abi.encodeCall(escrow.refund, (made)),
                abi.encodeCall(escrow.reclaim, (made)),
                abi.encodeCall(escrow.dispute, (made)),
                abi.encodeCall(escrow.claimUnresolved, (made))
            ];
            for (uint256 j = 0; j < calls.length; ++j) {
                vm.prank(all[i]);
                (bool success,) = address(escrow).call(calls[j]);
                assertTrue(!success, "refused");
            }
            Escrow.Terms[] memory batch = new Escrow.Terms[](1);
            batch[0] = made;
            vm.prank(all[i]);
            assertEq(escrow.releaseBatch(batch), 0, "skipped");
        }
        assertEq(address(escrow).balance, AMOUNT, "held");
    }

    function test_resolve_is_the_arbiters() public {
        Escrow.Terms memory made = disputed(terms(NATIVE));
        address[5] memory others = [payer, merchant, operator, owner, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectPartialRevert(Escrow.NotAllowed.selector);
            vm.prank(others[i]);
            escrow.resolve(made, 0);
        }
        vm.expectPartialRevert(Escrow.SplitTooLarge.selector);
        vm.prank(arbiter);
        escrow.resolve(made, AMOUNT + 1);
        vm.prank(arbiter);
        escrow.resolve(made, 400_000);
        assertStatus(made, Escrow.Status.Resolved);
        assertEq(merchant.balance, 594_000, "merchant's part less one percent");
        assertEq(escrow.credits(treasury, NATIVE), 6_000, "fee");
        assertEq(payer.balance, 1e30 - AMOUNT + 400_000, "payer's part");
    }

    function test_resolve_needs_a_dispute() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.expectPartialRevert(Escrow.WrongStatus.selector);
        vm.prank(arbiter);
        escrow.resolve(made, 0);
    }

    function test_a_silent_arbiter_is_passed_by_after_thirty_days() public {
        Escrow.Terms memory made = disputed(terms(NATIVE));
        vm.warp(START + 30 days - 1);
        vm.expectPartialRevert(Escrow.TooEarly.selector);
        vm.prank(stranger);
        escrow.claimUnresolved(made);
        vm.warp(START + 30 days);
        vm.prank(stranger);
        escrow.claimUnresolved(made);
        assertStatus(made, Escrow.Status.Refunded);
        assertEq(payer.balance, 1e30, "all of it");
    }

    function test_a_held_payment_is_not_unresolved() public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        vm.warp(START + 365 days);
        vm.expectPartialRevert(Escrow.WrongStatus.selector);
        escrow.claimUnresolved(made);
    }

    // -- batches

    function test_a_batch_leaves_bad_entries_alone() public {
        Escrow.Terms[] memory batch = new Escrow.Terms[](5);
        batch[0] = paid(terms(NATIVE, merchant, 0));
        batch[1] = terms(NATIVE, merchant, 1);
        batch[2] = disputed(terms(NATIVE, merchant, 2));
        batch[3] = batch[0];
        batch[4] = paid(terms(address(usdt), merchant, 4));
        vm.recordLogs();
        vm.prank(operator);
        assertEq(escrow.releaseBatch(batch), 2, "released");
        assertEq(countOf(Escrow.Skipped.selector), 3, "skipped");
        assertEq(merchant.balance, AMOUNT - FEE, "once");
        assertStatus(batch[4], Escrow.Status.Released);
    }

    function test_a_batch_of_a_stranger_releases_what_is_due() public {
        Escrow.Terms[] memory batch = new Escrow.Terms[](2);
        batch[0] = terms(NATIVE, merchant, 0);
        batch[0].autoReleaseAt -= 1;
        paid(batch[0]);
        batch[1] = paid(terms(NATIVE, merchant, 1));
        vm.warp(batch[0].autoReleaseAt);
        vm.prank(stranger);
        assertEq(escrow.releaseBatch(batch), 1, "released");
        assertStatus(batch[1], Escrow.Status.Held);
    }

    function test_a_batch_has_at_most_a_hundred_entries() public {
        escrow.releaseBatch(new Escrow.Terms[](100));
        Escrow.Terms[] memory tooMany = new Escrow.Terms[](101);
        vm.expectRevert(abi.encodeWithSelector(Escrow.BatchTooLong.selector, 101, 100));
        escrow.releaseBatch(tooMany);
    }

    function countOf(bytes32 topic) internal returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) ++count;
        }
    }

    // -- events

    function test_every_event_fits_the_smallest_limit_and_tells_all() public {
        vm.recordLogs();
        Escrow.Terms memory made = disputed(terms(address(usdt)));
        vm.prank(arbiter);
        escrow.resolve(made, 1);
        Escrow.Terms memory other = paid(terms(address(usdt), merchant, 2));
        vm.prank(operator);
        escrow.release(other);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertTrue(32 * logs[i].topics.length + logs[i].data.length < 416, "fits");
        }
        assertTrue(logs[0].topics[1] == escrow.paymentId(made) && logs[0].topics[2] == made.ref, "indexed");
        Escrow.Terms memory told;
        told.ref = logs[0].topics[2];
        (told.merchant, told.token, told.amount, told.feeBps, told.payBy, told.autoReleaseAt, told.refundUntil) =
            abi.decode(logs[0].data, (address, address, uint256, uint16, uint48, uint48, uint48));
        assertTrue(escrow.paymentId(told) == escrow.paymentId(made), "the event holds the whole terms");
    }
}
