// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Switchyard escrow
/// @notice Holds a buyer's payment between two parties who were named when it was made, until one of a few rules
/// sends it on. Held money can only ever reach the payer, the merchant and, for the fee the payer agreed to, the
/// treasury.
///
/// @dev How it works.
///
/// Terms live in calldata. A payment is known by the hash of its terms, this chain and this contract, so other terms
/// are another payment: nothing about a payment (its fee rate included) can change after it was made, and a payment
/// that is front-run with other terms is simply not this one. Storage keeps one word a payment: who paid, where the
/// payment stands, and since when it is disputed.
///
///     None ──pay──▶ Held ──release──▶ Released
///                    │ ├──refund, reclaim──▶ Refunded
///                    │ │                        ▲
///                    │ └──dispute──▶ Disputed ──┤ claimUnresolved
///                    │                   └──resolve──▶ Resolved
///
/// Three clocks (`payBy <= autoReleaseAt < refundUntil`, at most {MAX_HORIZON} ahead) and {ARBITER_TIMEOUT} give every
/// payment an end that needs neither the operator, the arbiter nor the owner. A clock is reached in the first block
/// whose timestamp is equal to it; `payBy` is the last second in which a payment is taken. Block timestamps are
/// good to some seconds, clocks here are meant to be minutes or more apart.
///
/// Money out is pushed to the merchant or the payer. A push that reverts, runs out of gas, returns false or meets a
/// token without code becomes a credit, to be withdrawn; it never blocks the call it happens in. Fees are always
/// credited, to the treasury of that moment. Credits belong to their account for good: a new treasury does not get
/// the credits of the old one.
///
/// Safety rests on state being final before any call out and on one lock around every function that moves money. It
/// does not rest on the 2300 gas stipend, on the 63/64 rule or on an account having no code. `pushGasCap` is about
/// cost only: it bounds what one hostile receiver can burn in a batch. On a chain that ignores the gas
/// argument of a call the cap does nothing and all else holds.
///
/// Tokens must move exactly what they say. What a token takes on the way in is refused by comparing balances. A token
/// that moves balances by itself (rebasing) or returns false after moving money can only harm payments in that token.
/// Tokens and native coin sent here outside `pay` belong to nobody and stay.
///
/// The gateway batches only payments in tokens it knows: a token is code chosen by whoever wrote the terms.
///
/// The owner appoints operators, arbiter and treasury, sets the gas cap and pauses `pay`. The owner has no way to
/// move, hold back or redirect a payment.
contract SwitchyardEscrow is Ownable2Step, Pausable, ReentrancyGuardTransient {
    // Clocks are minutes or more apart and a proposer can bend a timestamp by seconds, so comparing them is sound.
    // slither-disable-start timestamp

    using SafeERC20 for IERC20;

    /// @notice What the payer agrees to. The payer is not part of it: it is whoever pays.
    /// @param ref The gateway's intent id, as ASCII padded with zero bytes.
    /// @param merchant Who is paid on release.
    /// @param token The ERC-20 token, or zero for the chain's native coin.
    /// @param amount Units of the token's smallest denomination (wei for native), fee included.
    /// @param feeBps The platform's fee in hundredths of a percent of what the merchant gets.
    /// @param payBy Last Unix second in which the payment is taken.
    /// @param autoReleaseAt Unix second from which anyone may release.
    /// @param refundUntil Unix second until which a dispute can be opened, and from which the payer may reclaim.
    struct Terms {
        bytes32 ref;
        address merchant;
        address token;
        uint256 amount;
        uint16 feeBps;
        uint48 payBy;
        uint48 autoReleaseAt;
        uint48 refundUntil;
    }

    /// @notice Where a payment stands. All but Held and Disputed are final once reached.
    enum Status {
        None,
        Held,
        Released,
        Refunded,
        Disputed,
        Resolved
    }

    /// @notice By which right a payment moved.
    enum Cause {
        Payer,
        Merchant,
        Operator,
        AutoRelease,
        Reclaim,
        ArbiterTimeout
    }

    /// @notice Why an entry of a batch was left alone.
    enum SkipReason {
        NotHeld,
        NotReleasable
    }

    /// @notice All that is stored of a payment, in one word.
    /// @param payer Who paid, and gets every refund.
    /// @param status Where the payment stands.
    /// @param disputedAt Unix second the dispute was opened, zero if it never was.
    struct Payment {
        address payer;
        Status status;
        uint48 disputedAt;
    }

    /// @notice Highest fee rate a payment may carry: 10 %.
    uint16 public constant MAX_FEE_BPS = 1_000;

    /// @notice Most entries of one batch.
    uint256 public constant MAX_BATCH = 100;

    /// @notice Longest time from payment to `refundUntil`, so that no typing error locks money for a century.
    uint256 public constant MAX_HORIZON = 730 days;

    /// @notice How long the arbiter has before anyone may send a disputed payment back to its payer.
    uint256 public constant ARBITER_TIMEOUT = 30 days;

    uint256 private constant BPS = 10_000;

    /// @notice Who decides disputes. Never the owner.
    address public arbiter;

    /// @notice Who is credited the fees of releases from now on.
    address public treasury;

    /// @notice Most gas one push may use, zero for no limit. A push that needs more becomes a credit.
    uint64 public pushGasCap;

    /// @notice Whether an account may release, refund and dispute for the gateway.
    mapping(address account => bool) public isOperator;

    /// @notice Units of a token (zero: native coin) an account can withdraw.
    mapping(address account => mapping(address token => uint256)) public credits;

    mapping(bytes32 id => Payment) private _payments;

    /// @notice A payment was made and is held. With `id` and `ref` these are the whole terms.
    event Paid(
        bytes32 indexed id,
        bytes32 indexed ref,
        address indexed payer,
        address merchant,
        address token,
        uint256 amount,
        uint16 feeBps,
        uint48 payBy,
        uint48 autoReleaseAt,
        uint48 refundUntil
    );

    /// @notice The merchant was paid. `fee` was credited to `treasury` (no {Credited} of its own).
    event Released(
        bytes32 indexed id,
        bytes32 indexed ref,
        uint256 merchantAmount,
        uint256 fee,
        address treasury,
        Cause cause,
        address by
    );

    /// @notice The whole amount went back to the payer.
    event Refunded(bytes32 indexed id, bytes32 indexed ref, uint256 amount, Cause cause, address by);

    /// @notice A dispute was opened. The arbiter has until `arbiterDeadline` (Unix seconds).
    event Disputed(bytes32 indexed id, bytes32 indexed ref, uint256 arbiterDeadline, Cause cause, address by);

    /// @notice The arbiter split a disputed payment. `fee` was credited to `treasury` (no {Credited} of its own).
    event Resolved(
        bytes32 indexed id,
        bytes32 indexed ref,
        uint256 payerAmount,
        uint256 merchantAmount,
        uint256 fee,
        address treasury,
        address by
    );

    /// @notice A push failed, so the money waits here for `account`.
    event Credited(address indexed account, address indexed token, bytes32 indexed id, uint256 amount);

    /// @notice `account` took its credit out, to `to`.
    event Withdrawn(address indexed account, address indexed token, address to, uint256 amount);

    /// @notice A batch left this entry alone; `status` is where the payment stands.
    event Skipped(bytes32 indexed id, SkipReason reason, Status status);

    /// @notice The owner admitted or dismissed an operator.
    event OperatorChanged(address indexed operator, bool allowed);

    /// @notice The owner appointed another arbiter.
    event ArbiterChanged(address indexed arbiter);

    /// @notice Fees of later releases go to another account.
    event TreasuryChanged(address indexed treasury);

    /// @notice The owner set another gas cap.
    event PushGasCapChanged(uint64 pushGasCap);

    /// @notice The amount is zero or over 2^128 - 1.
    error AmountOutOfRange(uint256 amount);

    /// @notice The merchant is zero or this contract.
    error InvalidMerchant(address merchant);

    /// @notice The fee rate is over the maximum.
    error FeeTooHigh(uint16 feeBps, uint16 maximum);

    /// @notice The clocks are not `payBy <= autoReleaseAt < refundUntil <= horizon`.
    error InvalidClocks(uint48 payBy, uint48 autoReleaseAt, uint48 refundUntil, uint256 horizon);

    /// @notice The native coin sent with the call is not what the terms ask for.
    error WrongValue(uint256 expected, uint256 received);

    /// @notice The token delivered another amount than it was asked to, as one with a transfer fee does.
    error WrongAmountReceived(address token, uint256 expected, uint256 received);

    /// @notice The payment does not stand where this call needs it.
    error WrongStatus(bytes32 id, Status expected, Status actual);

    /// @notice The caller has no right to this call.
    error NotAllowed(bytes32 id, address caller);

    /// @notice The call is possible from `notBefore` on (Unix seconds).
    error TooEarly(bytes32 id, uint256 notBefore);

    /// @notice The call was possible until `deadline` (Unix seconds).
    error TooLate(bytes32 id, uint256 deadline);

    /// @notice The split gives the payer more than there is.
    error SplitTooLarge(bytes32 id, uint256 payerAmount, uint256 amount);

    /// @notice The batch has too many entries.
    error BatchTooLong(uint256 length, uint256 maximum);

    /// @notice The account has nothing to withdraw in this token.
    error NothingToWithdraw(address account, address token);

    /// @notice A withdrawal cannot go there.
    error InvalidRecipient(address to);

    /// @notice The receiver refused the native coin it asked for.
    error WithdrawalFailed(address to, uint256 amount);

    /// @notice The account cannot have this role: it is zero, this contract, or has the role that excludes it.
    error InvalidRole(address account);

    /// @notice The contract always has an owner.
    error OwnershipCannotBeRenounced();

    /// @param initialOwner Who appoints; a multi-signature account in production.
    /// @param initialOperator The gateway's signer.
    /// @param initialArbiter Who decides disputes; not the owner.
    /// @param initialTreasury Who is credited fees.
    /// @param initialPushGasCap Most gas one push may use, zero for no limit. 200,000 suits chains with Ethereum's
    /// gas schedule; set zero where gas units differ.
    constructor(
        address initialOwner,
        address initialOperator,
        address initialArbiter,
        address initialTreasury,
        uint64 initialPushGasCap
    ) Ownable(initialOwner) {
        _setOperator(initialOperator, true);
        _setArbiter(initialArbiter);
        _setTreasury(initialTreasury);
        _setPushGasCap(initialPushGasCap);
    }

    // ------------------------------------------------------------------------------------------------- paying

    /// @notice Pay what the terms say and have it held. Send exactly the amount for native coin; approve it before
    /// for a token.
    /// @dev The only function that a pause stops.
    /// @param terms The gateway's offer.
    /// @return id The payment's id.
    function pay(Terms calldata terms) external payable nonReentrant whenNotPaused returns (bytes32 id) {
        _checkTerms(terms);
        id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.None);
        if (block.timestamp > terms.payBy) revert TooLate(id, terms.payBy);

        payment.payer = msg.sender;
        payment.status = Status.Held;
        emit Paid(
            id,
            terms.ref,
            msg.sender,
            terms.merchant,
            terms.token,
            terms.amount,
            terms.feeBps,
            terms.payBy,
            terms.autoReleaseAt,
            terms.refundUntil
        );
        _collect(terms.token, terms.amount);
    }

    // ------------------------------------------------------------------------------------- ends without dispute

    /// @notice Pay the merchant. The payer and operators may at any time, anyone from `autoReleaseAt` on.
    /// @param terms The terms that were paid.
    function release(Terms calldata terms) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.Held);
        (bool allowed, Cause cause) = _releaseRight(payment.payer, terms.autoReleaseAt);
        if (!allowed) revert TooEarly(id, terms.autoReleaseAt);
        _release(id, payment, terms, cause);
    }

    /// @notice Release many payments at once. Entries that are not held, or that the caller may not release, are
    /// left alone and named by {Skipped}; a push that fails becomes a credit.
    /// @dev Estimate the gas of a batch by a formula, not by simulation: entries that become releasable between
    /// estimate and inclusion cost more than skipped ones. Allow for {pushGasCap} an entry where receivers are strangers.
    /// @param batch At most {MAX_BATCH} terms.
    /// @return released How many were released.
    function releaseBatch(Terms[] calldata batch) external nonReentrant returns (uint256 released) {
        if (batch.length > MAX_BATCH) revert BatchTooLong(batch.length, MAX_BATCH);
        for (uint256 i = 0; i < batch.length; ++i) {
            Terms calldata terms = batch[i];
            bytes32 id = paymentId(terms);
            Payment storage payment = _payments[id];
            Status status = payment.status;
            if (status != Status.Held) {
                emit Skipped(id, SkipReason.NotHeld, status);
                continue;
            }
            (bool allowed, Cause cause) = _releaseRight(payment.payer, terms.autoReleaseAt);
            if (!allowed) {
                emit Skipped(id, SkipReason.NotReleasable, status);
                continue;
            }
            _release(id, payment, terms, cause);
            ++released;
        }
    }

    /// @notice Send the whole amount back to the payer. The merchant and operators may while the payment is held.
    /// @param terms The terms that were paid.
    function refund(Terms calldata terms) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.Held);
        Cause cause = Cause.Merchant;
        if (msg.sender != terms.merchant) {
            if (!isOperator[msg.sender]) revert NotAllowed(id, msg.sender);
            cause = Cause.Operator;
        }
        _refund(id, payment, terms, cause);
    }

    /// @notice Take the whole amount back. The payer may from `refundUntil` on, if nobody released it before.
    /// @param terms The terms that were paid.
    function reclaim(Terms calldata terms) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.Held);
        if (msg.sender != payment.payer) revert NotAllowed(id, msg.sender);
        if (block.timestamp < terms.refundUntil) revert TooEarly(id, terms.refundUntil);
        _refund(id, payment, terms, Cause.Reclaim);
    }

    // ------------------------------------------------------------------------------------------------ disputes

    /// @notice Stop a held payment for the arbiter to decide. The payer, the merchant and operators may, before
    /// `refundUntil`.
    /// @param terms The terms that were paid.
    function dispute(Terms calldata terms) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.Held);
        Cause cause = Cause.Payer;
        if (msg.sender != payment.payer) {
            if (msg.sender == terms.merchant) {
                cause = Cause.Merchant;
            } else {
                if (!isOperator[msg.sender]) revert NotAllowed(id, msg.sender);
                cause = Cause.Operator;
            }
        }
        if (block.timestamp >= terms.refundUntil) revert TooLate(id, terms.refundUntil);

        payment.status = Status.Disputed;
        payment.disputedAt = uint48(block.timestamp);
        emit Disputed(id, terms.ref, block.timestamp + ARBITER_TIMEOUT, cause, msg.sender);
    }

    /// @notice Split a disputed payment. The payer's part is free of fee, the merchant's part pays the agreed rate.
    /// @param terms The terms that were paid.
    /// @param payerAmount Units that go back to the payer, from zero to the whole amount.
    function resolve(Terms calldata terms, uint256 payerAmount) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        if (msg.sender != arbiter) revert NotAllowed(id, msg.sender);
        _requireStatus(id, payment.status, Status.Disputed);
        if (payerAmount > terms.amount) revert SplitTooLarge(id, payerAmount, terms.amount);

        payment.status = Status.Resolved;
        uint256 merchantGross = terms.amount - payerAmount;
        (uint256 fee, address feeAccount) = _creditFee(terms, merchantGross);
        uint256 merchantAmount = merchantGross - fee;
        emit Resolved(id, terms.ref, payerAmount, merchantAmount, fee, feeAccount, msg.sender);
        _push(id, terms.token, payment.payer, payerAmount);
        _push(id, terms.token, terms.merchant, merchantAmount);
    }

    /// @notice Send a disputed payment that the arbiter left undecided for {ARBITER_TIMEOUT} back to its payer.
    /// @dev The payer, not the merchant: whoever runs the gateway chooses the arbiter, so its silence must not pay
    /// the gateway's own side.
    /// @param terms The terms that were paid.
    function claimUnresolved(Terms calldata terms) external nonReentrant {
        bytes32 id = paymentId(terms);
        Payment storage payment = _payments[id];
        _requireStatus(id, payment.status, Status.Disputed);
        uint256 deadline = payment.disputedAt + ARBITER_TIMEOUT;
        if (block.timestamp < deadline) revert TooEarly(id, deadline);
        _refund(id, payment, terms, Cause.ArbiterTimeout);
    }

    // ------------------------------------------------------------------------------------------------- credits

    /// @notice Take out all the caller's credit in a token.
    /// @param token The token, or zero for native coin.
    /// @return amount Units paid out.
    function withdraw(address token) external nonReentrant returns (uint256 amount) {
        return _withdraw(token, msg.sender);
    }

    /// @notice Take out all the caller's credit in a token, to another account: the way out for a receiver that
    /// cannot be paid itself (refuses native coin, or is on a token's deny list).
    /// @param token The token, or zero for native coin.
    /// @param to Who is paid.
    /// @return amount Units paid out.
    function withdrawTo(address token, address to) external nonReentrant returns (uint256 amount) {
        return _withdraw(token, to);
    }

    // --------------------------------------------------------------------------------------------------- owner

    /// @notice Admit or dismiss an operator.
    /// @param operator The account.
    /// @param allowed Whether it may act from now on.
    function setOperator(address operator, bool allowed) external onlyOwner {
        _setOperator(operator, allowed);
    }

    /// @notice Appoint the arbiter of all open and later disputes.
    /// @param newArbiter Not zero and not the owner.
    function setArbiter(address newArbiter) external onlyOwner {
        _setArbiter(newArbiter);
    }

    /// @notice Name the account that is credited the fees of later releases.
    /// @param newTreasury Not zero.
    function setTreasury(address newTreasury) external onlyOwner {
        _setTreasury(newTreasury);
    }

    /// @notice Bound the gas of one push.
    /// @param newPushGasCap Gas, zero for no limit.
    function setPushGasCap(uint64 newPushGasCap) external onlyOwner {
        _setPushGasCap(newPushGasCap);
    }

    /// @notice Take no new payments. All else goes on.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Take payments again.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice Always reverts.
    function renounceOwnership() public view override onlyOwner {
        revert OwnershipCannotBeRenounced();
    }

    // --------------------------------------------------------------------------------------------------- views

    /// @notice The id under which these terms are paid here, on this chain.
    /// @param terms Any terms.
    /// @return The hash of chain id, this contract and the terms, each ABI-encoded.
    function paymentId(Terms calldata terms) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    /// @notice What is stored of a payment.
    /// @param id The payment's id.
    /// @return The stored word; status None if it was never made.
    function payments(bytes32 id) external view returns (Payment memory) {
        return _payments[id];
    }

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev Reverts unless the terms could be paid by someone at some time.
    function _checkTerms(Terms calldata terms) private view {
        // 128 bits keep `amount * feeBps` from overflowing, which would make a payment impossible to release.
        if (terms.amount == 0 || terms.amount > type(uint128).max) revert AmountOutOfRange(terms.amount);
        if (terms.merchant == address(0) || terms.merchant == address(this)) revert InvalidMerchant(terms.merchant);
        if (terms.feeBps > MAX_FEE_BPS) revert FeeTooHigh(terms.feeBps, MAX_FEE_BPS);
        uint256 horizon = block.timestamp + MAX_HORIZON;
        if (
            terms.payBy > terms.autoReleaseAt || terms.autoReleaseAt >= terms.refundUntil || terms.refundUntil > horizon
        ) revert InvalidClocks(terms.payBy, terms.autoReleaseAt, terms.refundUntil, horizon);
    }

    function _requireStatus(bytes32 id, Status actual, Status expected) private pure {
        if (actual != expected) revert WrongStatus(id, expected, actual);
    }

    /// @dev Takes exactly `amount` from the caller.
    function _collect(address token, uint256 amount) private {
        uint256 expectedValue = token == address(0) ? amount : 0;
        if (msg.value != expectedValue) revert WrongValue(expectedValue, msg.value);
        if (token == address(0)) return;

        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(token, amount, received);
    }

    /// @dev Whether the caller may release a held payment now, and by which right.
    function _releaseRight(address payer, uint48 autoReleaseAt) private view returns (bool allowed, Cause cause) {
        if (msg.sender == payer) return (true, Cause.Payer);
        if (isOperator[msg.sender]) return (true, Cause.Operator);
        return (block.timestamp >= autoReleaseAt, Cause.AutoRelease);
    }

    function _release(bytes32 id, Payment storage payment, Terms calldata terms, Cause cause) private {
        payment.status = Status.Released;
        (uint256 fee, address feeAccount) = _creditFee(terms, terms.amount);
        uint256 merchantAmount = terms.amount - fee;
        emit Released(id, terms.ref, merchantAmount, fee, feeAccount, cause, msg.sender);
        _push(id, terms.token, terms.merchant, merchantAmount);
    }

    function _refund(bytes32 id, Payment storage payment, Terms calldata terms, Cause cause) private {
        payment.status = Status.Refunded;
        emit Refunded(id, terms.ref, terms.amount, cause, msg.sender);
        _push(id, terms.token, payment.payer, terms.amount);
    }

    /// @dev Credits the treasury the fee on `gross`, rounded down.
    function _creditFee(Terms calldata terms, uint256 gross) private returns (uint256 fee, address account) {
        account = treasury;
        fee = gross * terms.feeBps / BPS;
        if (fee != 0) credits[account][terms.token] += fee;
    }

    /// @dev Pays `to`, or credits it when it cannot be paid. State must be final before this is called.
    function _push(bytes32 id, address token, address to, uint256 amount) private {
        if (amount == 0) return;
        bool paid;
        if (token == address(0)) (paid,,) = _tryCall(to, amount, "");
        else paid = _tryTransfer(token, to, amount);
        if (paid) return;

        credits[to][token] += amount;
        emit Credited(to, token, id, amount);
    }

    /// @dev As {SafeERC20-trySafeTransfer}, under the gas cap: no return value counts as success if the token has
    /// code, a return value counts if it is true.
    function _tryTransfer(address token, address to, uint256 amount) private returns (bool) {
        bytes memory input = abi.encodeCall(IERC20.transfer, (to, amount));
        (bool success, uint256 returnedBytes, uint256 word) = _tryCall(token, 0, input);
        if (!success) return false;
        return returnedBytes == 0 ? token.code.length != 0 : returnedBytes >= 32 && word == 1;
    }

    /// @dev Calls under the gas cap and copies at most one word of what comes back, so that a callee can make the
    /// call expensive neither by gas nor by a huge return value. `word` means nothing below 32 returned bytes.
    function _tryCall(address target, uint256 value, bytes memory input)
        private
        returns (bool success, uint256 returnedBytes, uint256 word)
    {
        uint256 gasCap = pushGasCap;
        // Solidity has no call that copies a bounded part of the return value.
        // slither-disable-next-line assembly
        assembly ("memory-safe") {
            let gasLimit := gas()
            if gasCap { gasLimit := gasCap }
            success := call(gasLimit, target, value, add(input, 0x20), mload(input), 0x00, 0x20)
            returnedBytes := returndatasize()
            word := mload(0x00)
        }
    }

    function _withdraw(address token, address to) private returns (uint256 amount) {
        if (to == address(0) || to == address(this)) revert InvalidRecipient(to);
        amount = credits[msg.sender][token];
        if (amount == 0) revert NothingToWithdraw(msg.sender, token);

        credits[msg.sender][token] = 0;
        emit Withdrawn(msg.sender, token, to, amount);
        if (token == address(0)) {
            // The caller asked for this call and pays its gas, so it has no cap; a failure undoes the withdrawal.
            // slither-disable-next-line low-level-calls
            (bool success,) = to.call{value: amount}("");
            if (!success) revert WithdrawalFailed(to, amount);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    function _setOperator(address operator, bool allowed) private {
        if (operator == address(0)) revert InvalidRole(operator);
        isOperator[operator] = allowed;
        emit OperatorChanged(operator, allowed);
    }

    function _setArbiter(address newArbiter) private {
        if (newArbiter == address(0) || newArbiter == owner()) revert InvalidRole(newArbiter);
        arbiter = newArbiter;
        emit ArbiterChanged(newArbiter);
    }

    function _setTreasury(address newTreasury) private {
        if (newTreasury == address(0) || newTreasury == address(this)) revert InvalidRole(newTreasury);
        treasury = newTreasury;
        emit TreasuryChanged(newTreasury);
    }

    function _setPushGasCap(uint64 newPushGasCap) private {
        pushGasCap = newPushGasCap;
        emit PushGasCapChanged(newPushGasCap);
    }

    /// @dev Keeps the arbiter from becoming owner, whichever role came first.
    function _transferOwnership(address newOwner) internal override {
        if (newOwner == arbiter) revert InvalidRole(newOwner);
        super._transferOwnership(newOwner);
    }

    // slither-disable-end timestamp
}
