// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Test USDT
/// @notice A token for test networks that is as awkward as the USDT on Ethereum: six decimals, no return values, and
/// an allowance that must go through zero to change. Anyone can mint it. It is worth nothing.
// Returning nothing where the standard wants a bool is what this token is for.
// slither-disable-next-line erc20-interface
contract TestUSDT {
    string public constant name = "Test USDT";
    string public constant symbol = "tUSDT";
    uint8 public constant decimals = 6;

    /// @notice Most units one call can mint: a million tokens.
    uint256 public constant MAX_MINT = 1_000_000e6;

    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(address holder, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error AllowanceMustPassThroughZero(address spender, uint256 allowance);
    error MintTooLarge(uint256 value, uint256 maximum);
    error InvalidReceiver(address to);

    /// @notice Give an account new tokens.
    /// @param to Who gets them.
    /// @param value Units, at most {MAX_MINT}.
    function mint(address to, uint256 value) external {
        if (value > MAX_MINT) revert MintTooLarge(value, MAX_MINT);
        if (to == address(0)) revert InvalidReceiver(to);
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    /// @notice Move the caller's tokens. Returns nothing.
    /// @param to Who gets them.
    /// @param value Units.
    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    /// @notice Move tokens the caller was allowed to. Returns nothing. An allowance of 2^256 - 1 is not used up.
    /// @param from Whose tokens.
    /// @param to Who gets them.
    /// @param value Units.
    function transferFrom(address from, address to, uint256 value) external {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < value) revert InsufficientAllowance(msg.sender, allowed, value);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        _move(from, to, value);
    }

    /// @notice Allow a spender to move the caller's tokens. Returns nothing. To change an allowance, set zero first.
    /// @param spender Who may move them.
    /// @param value Units in all.
    function approve(address spender, uint256 value) external {
        uint256 allowed = allowance[msg.sender][spender];
        if (value != 0 && allowed != 0) revert AllowanceMustPassThroughZero(spender, allowed);
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }

    function _move(address from, address to, uint256 value) private {
        if (to == address(0)) revert InvalidReceiver(to);
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(from, balance, value);
        balanceOf[from] = balance - value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
