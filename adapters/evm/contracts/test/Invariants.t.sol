// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {Handler} from "./Handler.sol";
import {Test} from "./Test.sol";

/// @dev What holds after any sequence of calls. That each call did what the rules allow, and nothing else, is
/// asserted by the handler itself: a sequence in which one did not fails too.
contract InvariantsTest is Test {
    Handler internal handler;
    Escrow internal escrow;

    function setUp() public {
        handler = new Handler();
        escrow = handler.escrow();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Everyone who can have a credit. Nobody is in it twice.
    function creditors() internal view returns (address[] memory all) {
        address[] memory people = handler.people();
        all = new address[](people.length + 2);
        for (uint256 i = 0; i < people.length; ++i) {
            all[i] = people[i];
        }
        all[people.length] = handler.treasuries(0);
        all[people.length + 1] = handler.treasuries(1);
    }

    /// @dev The escrow owes exactly what it has: open payments and credits, beside what was given to nobody.
    function invariant_balance_is_open_payments_and_credits() public view {
        address[] memory tokens = handler.tokens();
        address[] memory all = creditors();
        for (uint256 i = 0; i < tokens.length; ++i) {
            uint256 owed = handler.open(tokens[i]);
            for (uint256 j = 0; j < all.length; ++j) {
                uint256 credit = escrow.credits(all[j], tokens[i]);
                assertEq(credit, handler.credit(all[j], tokens[i]), "credit as booked");
                owed += credit;
            }
            assertEq(handler.balance(tokens[i], address(escrow)), owed + handler.donated(tokens[i]), "solvent");
        }
    }

    /// @dev A payment ends once, and stands where the rules put it.
    function invariant_a_payment_ends_once() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            Handler.Record memory record = handler.record(i);
            Escrow.Payment memory payment = escrow.payments(escrow.paymentId(record.terms));
            assertTrue(payment.status == record.status, "status as booked");
            assertTrue(payment.payer == record.payer, "payer as booked");
            assertEq(payment.disputedAt, record.disputedAt, "dispute as booked");
            bool over = record.status != Escrow.Status.Held && record.status != Escrow.Status.Disputed;
            assertEq(record.ends, over ? 1 : 0, "ended once");
        }
    }

    /// @dev What treasuries ever got is at most the highest rate of what merchants were due.
    function invariant_fees_are_bounded() public view {
        address[] memory tokens = handler.tokens();
        for (uint256 i = 0; i < tokens.length; ++i) {
            uint256 fees;
            for (uint256 j = 0; j < 2; ++j) {
                address treasury = handler.treasuries(j);
                fees += escrow.credits(treasury, tokens[i]) + handler.balance(tokens[i], treasury);
            }
            assertTrue(fees * 10 <= handler.grossToMerchants(tokens[i]), "at most ten percent");
        }
    }

    /// @dev Owner, operator and arbiter decide about money and never get any.
    function invariant_roles_get_nothing() public view {
        address[] memory tokens = handler.tokens();
        address[3] memory roles = [handler.owner(), handler.operator(), account("arbiter")];
        for (uint256 i = 0; i < tokens.length; ++i) {
            for (uint256 j = 0; j < roles.length; ++j) {
                assertEq(handler.balance(tokens[i], roles[j]), 0, "balance");
                assertEq(escrow.credits(roles[j], tokens[i]), 0, "credit");
            }
        }
    }
}
