// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardCollector as Collector} from "../src/SwitchyardCollector.sol";
import {TestUSDT} from "../src/TestUSDT.sol";
import {Test, Vm} from "./Test.sol";
import {CollectableToken} from "./CollectableToken.sol";

/// @dev What the collector does for addresses that have delegated to it, and that nobody else gains by it.
contract CollectorTest is Test {
    address internal hotWallet = account("hot wallet");
    address internal stranger = account("stranger");

    Collector internal collector;
    TestUSDT internal usdt;
    CollectableToken internal odd;

    function setUp() public {
        collector = new Collector(hotWallet);
        usdt = new TestUSDT();
        odd = new CollectableToken();
    }

    /// @dev An address that runs the collector's code, as one that has delegated to it does.
    function holder(uint256 number) internal returns (address made) {
        made = address(uint160(uint256(keccak256(abi.encode("holder", number)))));
        vm.etch(made, address(collector).code);
    }

    /// @dev As many addresses as there are tokens, each of which holds one more unit than the one before.
    function holders(address[] memory tokens) internal returns (address[] memory made) {
        made = new address[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            made[i] = holder(i);
            CollectableToken(tokens[i]).mint(made[i], 100 + i);
        }
    }

    function tokens(address token, uint256 count) internal pure returns (address[] memory made) {
        made = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            made[i] = token;
        }
    }

    /// @dev Collects as anybody, and returns which places were missed, one bit for each.
    function collected(address[] memory from, address[] memory what) internal returns (uint256 missed) {
        vm.recordLogs();
        vm.prank(stranger);
        // More than a megabyte of memory costs.
        collector.collect{gas: 100_000 + from.length * 3_000_000}(from, what);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(collector)) continue;
            assertTrue(logs[i].topics[0] == Collector.Missed.selector, "no other event");
            missed |= 1 << uint256(logs[i].topics[1]);
        }
    }

    function testCollectsFromAll() public {
        address[] memory what = tokens(address(usdt), 16);
        what[3] = address(odd);
        address[] memory from = holders(what);
        assertEq(collected(from, what), 0, "missed");
        assertEq(usdt.balanceOf(hotWallet), 16 * 100 + 120 - 103, "USDT");
        assertEq(odd.balanceOf(hotWallet), 103, "the other token");
        assertEq(usdt.balanceOf(from[0]), 0, "left");
    }

    function testOneFailureIsNoOthers() public {
        CollectableToken hostile = new CollectableToken();
        address[] memory what = tokens(address(odd), 8);
        what[2] = address(hostile);
        what[3] = account("no token");
        what[5] = address(usdt);
        what[6] = address(this);
        address[] memory from = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            from[i] = holder(i);
            odd.mint(from[i], 10);
            hostile.mint(from[i], 10);
        }
        // Right after one that succeeds: an account without code answers nothing, and nothing is no success.
        from[1] = account("not delegated");
        odd.mint(from[1], 10);
        hostile.setOddity(CollectableToken.Oddity.Reverts);
        assertEq(collected(from, what), (1 << 1) | (1 << 2) | (1 << 3) | (1 << 5) | (1 << 6), "missed");
        assertEq(odd.balanceOf(hotWallet), 30, "the three that could");
        assertEq(odd.balanceOf(from[1]), 10, "money stays where it was");
        assertEq(hostile.balanceOf(from[2]), 10, "there too");
    }

    function testEveryKindOfAnswer() public {
        address[] memory what = tokens(address(odd), 1);
        for (uint8 i = 0; i <= uint8(type(CollectableToken.Oddity).max); ++i) {
            CollectableToken.Oddity oddity = CollectableToken.Oddity(i);
            odd.setOddity(oddity);
            address[] memory from = new address[](1);
            from[0] = holder(i);
            odd.mint(from[0], 5);
            bool moves = oddity == CollectableToken.Oddity.None || oddity == CollectableToken.Oddity.ReturnsNothing
                || oddity == CollectableToken.Oddity.ReturnsMegabyte;
            assertEq(collected(from, what), moves ? 0 : 1, "missed");
            assertEq(odd.balanceOf(from[0]), moves ? 0 : 5, "all or nothing");
        }
    }

    function testNoTokenBurnsTheGasOfOthers() public {
        odd.setOddity(CollectableToken.Oddity.BurnsGas);
        address[] memory what = tokens(address(usdt), 16);
        for (uint256 i = 0; i < 15; ++i) {
            what[i] = address(odd);
        }
        address[] memory from = holders(what);
        vm.recordLogs();
        collector.collect{gas: 16 * 70_000}(from, what);
        assertEq(vm.getRecordedLogs().length, 16, "fifteen missed, one transfer");
        assertEq(usdt.balanceOf(hotWallet), 115, "the last one had enough");
    }

    function testWhoeverBurnsAllTheGasIsToldAsMissed() public {
        odd.setOddity(CollectableToken.Oddity.BurnsGas);
        address[] memory what = tokens(address(odd), 1);
        address[] memory from = holders(what);
        vm.recordLogs();
        collector.collect{gas: 40_000}(from, what);
        assertEq(vm.getRecordedLogs().length, 1, "enough is left to tell");
    }

    function testCannotBeEnteredAgain() public {
        address[] memory what = tokens(address(odd), 2);
        address[] memory from = holders(what);
        odd.setHook(address(collector), abi.encodeCall(Collector.collect, (from, what)));
        vm.recordLogs();
        collector.collect(from, what);
        assertEq(vm.getRecordedLogs().length, 2, "missed, once each");
        assertEq(odd.balanceOf(hotWallet), 0, "nothing moved");
    }

    function testAnyoneMayMoveToTheDestinationAlone() public {
        address from = holder(1);
        usdt.mint(from, 7);
        vm.prank(stranger);
        assertTrue(Collector(payable(from)).move(address(usdt)), "moved");
        assertEq(usdt.balanceOf(hotWallet), 7, "to the destination");
        assertTrue(!Collector(payable(from)).move(address(usdt)), "nothing left to move");
    }

    function testWhatLiesAtTheCollectorIsNotLost() public {
        usdt.mint(address(collector), 7);
        collector.move(address(usdt));
        assertEq(usdt.balanceOf(hotWallet), 7, "to the destination");
    }

    function testListsAreOfOneLength() public {
        vm.expectRevert(abi.encodeWithSelector(Collector.UnequalLengths.selector, 2, 1));
        collector.collect(new address[](2), new address[](1));
    }

    function testThereIsADestination() public {
        vm.expectRevert(abi.encodeWithSelector(Collector.InvalidDestination.selector, address(0)));
        new Collector(address(0));
    }

    function testAnAddressThatDelegatesTakesCoinsAsBefore() public {
        address from = holder(1);
        vm.deal(address(this), 10);
        (bool taken,) = from.call{value: 4, gas: 0}("");
        assertTrue(taken, "with the 2,300 gas that come with value");
        (taken,) = from.call{value: 6}(abi.encodeWithSignature("onSomething(uint256)", 1));
        assertTrue(taken, "and ignores calls");
        assertEq(from.balance, 10, "coins");
    }

    function testTheCollectorTakesNoCoins() public {
        vm.deal(address(this), 10);
        (bool taken,) = address(collector).call{value: 1}("");
        assertTrue(!taken, "plain");
        (taken,) = address(collector).call{value: 1}(hex"12345678");
        assertTrue(!taken, "with a call");
    }

    /// @dev Whatever tokens do: money is at the destination, or where it was and told as missed.
    function testFuzzMoneyIsInOneOfTwoPlaces(uint8[16] calldata oddities, uint16[16] calldata held, uint8 count)
        public
    {
        uint256 places = bound(count, 0, 16);
        address[] memory from = new address[](places);
        address[] memory what = new address[](places);
        for (uint256 i = 0; i < places; ++i) {
            CollectableToken token = new CollectableToken();
            token.setOddity(CollectableToken.Oddity(bound(oddities[i], 0, uint8(type(CollectableToken.Oddity).max))));
            (from[i], what[i]) = (holder(i), address(token));
            token.mint(from[i], held[i]);
        }
        uint256 missed = collected(from, what);
        for (uint256 i = 0; i < places; ++i) {
            CollectableToken token = CollectableToken(what[i]);
            bool moved = missed & (1 << i) == 0;
            assertEq(token.balanceOf(hotWallet), moved ? held[i] : 0, "at the destination");
            assertEq(token.balanceOf(from[i]), moved ? 0 : held[i], "where it was");
            assertTrue(!moved || held[i] != 0, "nothing was nothing moved");
        }
    }
}
