// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {Fixture} from "./Fixture.sol";

/// @dev Amounts, rates, splits and clocks at random.
contract FuzzTest is Fixture {
    function random(uint256 amount, uint256 feeBps) internal view returns (Escrow.Terms memory made) {
        made = terms(NATIVE);
        made.amount = bound(amount, 1, type(uint128).max);
        made.feeBps = uint16(bound(feeBps, 0, 1_000));
    }

    function funded(Escrow.Terms memory made) internal returns (Escrow.Terms memory) {
        vm.deal(payer, made.amount);
        return paid(made);
    }

    function testFuzz_release_splits_all_of_it_rounding_the_fee_down(uint256 amount, uint256 feeBps) public {
        Escrow.Terms memory made = funded(random(amount, feeBps));
        vm.prank(payer);
        escrow.release(made);
        uint256 fee = escrow.credits(treasury, NATIVE);
        assertEq(merchant.balance + fee, made.amount, "all of it");
        assertTrue(fee * 10_000 <= made.amount * made.feeBps, "not above the rate");
        assertTrue((fee + 1) * 10_000 > made.amount * made.feeBps, "by less than one unit");
        assertEq(address(escrow).balance, fee, "kept for the treasury");
    }

    function testFuzz_resolve_splits_all_of_it(uint256 amount, uint256 feeBps, uint256 payerAmount) public {
        Escrow.Terms memory made = random(amount, feeBps);
        payerAmount = bound(payerAmount, 0, made.amount);
        funded(made);
        vm.prank(payer);
        escrow.dispute(made);
        vm.prank(arbiter);
        escrow.resolve(made, payerAmount);
        uint256 fee = escrow.credits(treasury, NATIVE);
        assertEq(payer.balance, payerAmount, "payer");
        assertEq(merchant.balance + fee, made.amount - payerAmount, "merchant and fee");
        assertEq(fee, (made.amount - payerAmount) * made.feeBps / 10_000, "fee");
    }

    function testFuzz_refund_takes_no_fee(uint256 amount, uint256 feeBps) public {
        Escrow.Terms memory made = funded(random(amount, feeBps));
        vm.prank(merchant);
        escrow.refund(made);
        assertEq(payer.balance, made.amount, "all of it");
    }

    function testFuzz_clocks_are_taken_in_order_only(uint48 payBy, uint48 autoReleaseAt, uint48 refundUntil) public {
        Escrow.Terms memory made = terms(NATIVE);
        made.payBy = uint48(START + payBy % 800 days);
        made.autoReleaseAt = uint48(START + autoReleaseAt % 800 days);
        made.refundUntil = uint48(START + refundUntil % 800 days);
        bool ordered = made.payBy <= made.autoReleaseAt && made.autoReleaseAt < made.refundUntil
            && made.refundUntil <= START + 730 days;
        vm.prank(payer);
        (bool taken,) = address(escrow).call{value: AMOUNT}(abi.encodeCall(escrow.pay, (made)));
        assertTrue(taken == ordered, "taken if in order");
    }

    function testFuzz_other_terms_are_another_payment(uint256 field, uint256 value) public {
        Escrow.Terms memory made = paid(terms(NATIVE));
        Escrow.Terms memory other = terms(NATIVE);
        field %= 8;
        value = bound(value, 1, type(uint48).max);
        if (field == 0) other.ref ^= bytes32(value);
        if (field == 1) other.merchant = address(uint160(other.merchant) ^ uint160(value));
        if (field == 2) other.token = address(uint160(value));
        if (field == 3) other.amount ^= value;
        if (field == 4) other.feeBps ^= uint16(bound(value, 1, type(uint16).max));
        if (field == 5) other.payBy ^= uint48(value);
        if (field == 6) other.autoReleaseAt ^= uint48(value);
        if (field == 7) other.refundUntil ^= uint48(value);
        assertTrue(escrow.paymentId(made) != escrow.paymentId(other), "ids differ");
        vm.expectPartialRevert(Escrow.WrongStatus.selector);
        vm.prank(operator);
        escrow.release(other);
    }

    function test_the_id_is_bound_to_chain_and_contract() public {
        Escrow.Terms memory made = terms(NATIVE);
        bytes32 id = keccak256(abi.encode(block.chainid, address(escrow), made));
        assertTrue(escrow.paymentId(made) == id, "as documented");
        Escrow twin = new Escrow(owner, operator, arbiter, treasury, 0);
        assertTrue(twin.paymentId(made) != id, "another contract");
    }
}
