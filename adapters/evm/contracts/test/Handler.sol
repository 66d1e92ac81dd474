// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwitchyardEscrow as Escrow} from "../src/SwitchyardEscrow.sol";
import {TestUSDT} from "../src/TestUSDT.sol";
import {Receiver} from "./Receivers.sol";
import {Test} from "./Test.sol";
import {OddToken} from "./Tokens.sol";

/// @dev Does random things to an escrow, and keeps the books a second time, from the rules as the documentation has
/// them. Each call checks that the escrow allowed what the rules allow, and moved what the rules say.
contract Handler is Test {
    enum Deed {
        Release,
        Refund,
        Reclaim,
        Dispute,
        Resolve,
        ClaimUnresolved
    }

    struct Record {
        Escrow.Terms terms;
        address payer;
        Escrow.Status status;
        uint256 disputedAt;
        uint256 ends;
    }

    address internal constant NATIVE = address(0);
    uint256 internal constant MAX_RECORDS = 40;

    Escrow public immutable escrow;
    TestUSDT public immutable usdt = new TestUSDT();
    OddToken public immutable odd = new OddToken();
    address public immutable owner;
    Receiver public immutable receiver;

    address public operator = account("operator");
    address public arbiter = account("arbiter");
    address public treasury = account("treasury");
    address[] public treasuries = [account("treasury"), account("treasury two")];
    address[] internal _tokens;
    address[] internal _people;

    Record[] internal _records;
    uint256 internal _now = 1_800_000_000;
    bool internal _paused;
    bool internal _refusing;

    mapping(address token => uint256) public open;
    mapping(address token => uint256) public donated;
    mapping(address token => uint256) public grossToMerchants;
    mapping(address account => mapping(address token => uint256)) public credit;
    mapping(bytes32 what => uint256) public done;

    constructor() {
        vm.warp(_now);
        owner = account("owner");
        escrow = new Escrow(owner, operator, arbiter, treasury, 200_000);
        receiver = new Receiver(escrow);
        _tokens = [NATIVE, address(usdt), address(odd)];
        _people = [account("anna"), account("ben"), address(receiver), account("clara"), operator, arbiter, owner];
    }

    // -- deeds

    function pay(uint256 who, uint256 to, uint256 which, uint256 amount, uint16 feeBps, uint256 clocks) external {
        clock();
        if (_records.length == MAX_RECORDS) return;
        // The receiver is merchant only and the roles take no part as parties, so that what they own is easy to tell.
        address payer = _people[who % 2];
        Escrow.Terms memory made = Escrow.Terms({
            ref: bytes32(_records.length),
            merchant: _people[1 + to % 3],
            token: _tokens[which % 3],
            amount: bound(amount, 1, 1e12),
            feeBps: feeBps % 1_101,
            payBy: uint48(_now + clocks % 1 days),
            autoReleaseAt: uint48(_now + 1 days + (clocks >> 32) % 5 days),
            refundUntil: uint48(_now + 2 days + (clocks >> 64) % 10 days)
        });
        _provide(payer, made.token, made.amount);
        bool expected = !_paused && made.feeBps <= 1_000 && made.autoReleaseAt < made.refundUntil
            && !(made.token == address(odd) && _refusing);
        vm.prank(payer);
        bool success = _call(abi.encodeCall(escrow.pay, (made)), made.token == NATIVE ? made.amount : 0);
        assertTrue(success == expected, "pay: allowed by the rules");
        if (!success) return;
        _records.push(Record(made, payer, Escrow.Status.Held, 0, 0));
        open[made.token] += made.amount;
        ++done["pay"];
    }

    /// @dev Several at once, as most are refused by one rule or another.
    function act(uint256 seed) external {
        clock();
        for (uint256 i = 0; i < 6 && _records.length != 0; ++i) {
            Record storage record = _records[seed % _records.length];
            _act(record, Deed((seed >> 32) % 6), _people[(seed >> 64) % _people.length], seed >> 96);
            seed = uint256(keccak256(abi.encode(seed)));
        }
    }

    function batch(uint256 first, uint256 length, uint256 who) external {
        clock();
        if (_records.length == 0) return;
        address caller = _people[who % _people.length];
        Escrow.Terms[] memory entries = new Escrow.Terms[](length % 12);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = _records[(first % _records.length + i) % _records.length].terms;
        }
        uint256 released;
        for (uint256 i = 0; i < entries.length; ++i) {
            Record storage record = _records[(first % _records.length + i) % _records.length];
            if (!_mayRelease(record, caller)) continue;
            ++released;
            _bookEnd(record, Escrow.Status.Released, 0);
        }
        vm.prank(caller);
        assertEq(escrow.releaseBatch(entries), released, "batch: as many as the rules allow");
        done["batched"] += released;
    }

    function withdraw(uint256 who, uint256 which, bool elsewhere) external {
        clock();
        address token = _tokens[which % 3];
        address caller = who % 3 == 0 ? treasuries[who % 2] : _people[who % 4];
        address to = elsewhere ? account("elsewhere") : caller;
        uint256 amount = credit[caller][token];
        bool expected = amount != 0 && !_refuses(token, to);
        uint256 before = _balance(token, to);
        vm.prank(caller);
        bool success = _call(abi.encodeCall(escrow.withdrawTo, (token, to)), 0);
        assertTrue(success == expected, "withdraw: allowed by the rules");
        if (!success) return;
        assertEq(_balance(token, to) - before, amount, "withdraw: all of the credit");
        credit[caller][token] = 0;
        ++done["withdraw"];
    }

    function donate(uint256 which, uint256 amount) external {
        clock();
        address token = _tokens[which % 3];
        amount = bound(amount, 1, 1e9);
        donated[token] += amount;
        if (token == NATIVE) vm.deal(address(escrow), address(escrow).balance + amount);
        else if (token == address(usdt)) usdt.mint(address(escrow), amount);
        else odd.mint(address(escrow), amount);
    }

    function wait(uint256 time) external {
        _now += bound(time, 1, time % 5 == 0 ? 31 days : 2 days);
        clock();
    }

    function govern(uint256 what, uint256 who) external {
        clock();
        what %= 4;
        vm.prank(owner);
        if (what == 0) {
            (_paused = !_paused) ? escrow.pause() : escrow.unpause();
        } else if (what == 1) {
            escrow.setTreasury(treasury = treasuries[who % 2]);
        } else if (what == 2) {
            escrow.setArbiter(arbiter = arbiter == _people[5] ? account("arbiter two") : _people[5]);
        } else {
            escrow.setPushGasCap(who % 2 == 0 ? 0 : 200_000);
        }
    }

    function offend(bool refusing) external {
        clock();
        _refusing = refusing;
        receiver.setManner(refusing ? Receiver.Manner.Rejects : Receiver.Manner.Accepts);
        odd.setOddity(refusing ? OddToken.Oddity.ReturnsFalse : OddToken.Oddity.None);
    }

    // -- the rules

    function _act(Record storage record, Deed deed, address caller, uint256 split) private {
        Escrow.Terms memory made = record.terms;
        split = bound(split, 0, made.amount + 1);
        bool expected = _allowed(record, deed, caller, split);
        uint256 payerBefore = _wealth(made.token, record.payer);
        uint256 merchantBefore = _wealth(made.token, made.merchant);
        vm.prank(caller);
        bool success = _call(_input(made, deed, split), 0);
        assertTrue(success == expected, "deed: allowed by the rules");
        if (!success) return;
        ++done[bytes32(uint256(deed))];
        if (deed == Deed.Dispute) {
            record.status = Escrow.Status.Disputed;
            record.disputedAt = _now;
            return;
        }
        uint256 payerAmount = made.amount;
        Escrow.Status end = Escrow.Status.Refunded;
        if (deed == Deed.Release) (end, payerAmount) = (Escrow.Status.Released, 0);
        if (deed == Deed.Resolve) (end, payerAmount) = (Escrow.Status.Resolved, split);
        uint256 merchantAmount = _bookEnd(record, end, payerAmount);
        if (record.payer == made.merchant) {
            payerAmount += merchantAmount;
            merchantAmount = payerAmount;
        }
        assertEq(_wealth(made.token, record.payer) - payerBefore, payerAmount, "payer got its part");
        assertEq(_wealth(made.token, made.merchant) - merchantBefore, merchantAmount, "merchant got its part");
    }

    function _allowed(Record storage record, Deed deed, address caller, uint256 split) private view returns (bool) {
        bool held = record.status == Escrow.Status.Held;
        bool inDispute = record.status == Escrow.Status.Disputed;
        bool isPayer = caller == record.payer;
        bool isMerchant = caller == record.terms.merchant;
        bool isOperator = caller == operator;
        if (deed == Deed.Release) return _mayRelease(record, caller);
        if (deed == Deed.Refund) return held && (isMerchant || isOperator);
        if (deed == Deed.Reclaim) return held && isPayer && _now >= record.terms.refundUntil;
        if (deed == Deed.Dispute) {
            return held && (isPayer || isMerchant || isOperator) && _now < record.terms.refundUntil;
        }
        if (deed == Deed.Resolve) return inDispute && caller == arbiter && split <= record.terms.amount;
        return inDispute && _now >= record.disputedAt + 30 days;
    }

    function _mayRelease(Record storage record, address caller) private view returns (bool) {
        return record.status == Escrow.Status.Held
            && (caller == record.payer || caller == operator || _now >= record.terms.autoReleaseAt);
    }

    function _bookEnd(Record storage record, Escrow.Status end, uint256 payerAmount) private returns (uint256) {
        address token = record.terms.token;
        uint256 gross = record.terms.amount - payerAmount;
        uint256 fee = gross * record.terms.feeBps / 10_000;
        record.status = end;
        ++record.ends;
        open[token] -= record.terms.amount;
        grossToMerchants[token] += gross;
        credit[treasury][token] += fee;
        if (_refuses(token, record.payer)) credit[record.payer][token] += payerAmount;
        if (_refuses(token, record.terms.merchant)) credit[record.terms.merchant][token] += gross - fee;
        return gross - fee;
    }

    // -- the world

    /// @dev forge sets the time back between calls of an invariant run.
    function clock() private {
        vm.warp(_now);
    }

    function _refuses(address token, address to) private view returns (bool) {
        if (!_refusing) return false;
        return token == address(odd) || (token == NATIVE && to == address(receiver));
    }

    function _provide(address payer, address token, uint256 amount) private {
        if (token == NATIVE) {
            vm.deal(payer, payer.balance + amount);
            return;
        }
        if (token == address(usdt)) usdt.mint(payer, amount);
        else odd.mint(payer, amount);
        vm.prank(payer);
        token.call(abi.encodeWithSignature("approve(address,uint256)", address(escrow), 0));
        vm.prank(payer);
        token.call(abi.encodeWithSignature("approve(address,uint256)", address(escrow), amount));
    }

    function _input(Escrow.Terms memory made, Deed deed, uint256 split) private view returns (bytes memory) {
        if (deed == Deed.Release) return abi.encodeCall(escrow.release, (made));
        if (deed == Deed.Refund) return abi.encodeCall(escrow.refund, (made));
        if (deed == Deed.Reclaim) return abi.encodeCall(escrow.reclaim, (made));
        if (deed == Deed.Dispute) return abi.encodeCall(escrow.dispute, (made));
        if (deed == Deed.Resolve) return abi.encodeCall(escrow.resolve, (made, split));
        return abi.encodeCall(escrow.claimUnresolved, (made));
    }

    function _call(bytes memory input, uint256 value) private returns (bool success) {
        (success,) = address(escrow).call{value: value}(input);
    }

    function _wealth(address token, address who) private view returns (uint256) {
        return _balance(token, who) + escrow.credits(who, token);
    }

    function _balance(address token, address who) private view returns (uint256) {
        return token == NATIVE ? who.balance : OddToken(token).balanceOf(who);
    }

    // -- the books, for the invariants

    function tokens() external view returns (address[] memory) {
        return _tokens;
    }

    function people() external view returns (address[] memory) {
        return _people;
    }

    function count() external view returns (uint256) {
        return _records.length;
    }

    function record(uint256 index) external view returns (Record memory) {
        return _records[index];
    }

    function balance(address token, address who) external view returns (uint256) {
        return _balance(token, who);
    }
}
