"""A token that refuses to be sent to whom it has denied, as Tether's and Circle's can.

Its bytecode is that of the source below by solc 0.8.37, optimized for size, without metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_abi.abi import encode

from adapters.evm.abi import selector
from tests.adapters.evm.local_chain import DEPLOYER

if TYPE_CHECKING:
    from tests.adapters.evm.local_chain import LocalChain

SOURCE: Final = """
pragma solidity 0.8.37;

contract DenyingToken {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public denied;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function deny(address account, bool yes) external {
        denied[account] = yes;
    }

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        return _move(from, to, value);
    }

    function _move(address from, address to, uint256 value) private returns (bool) {
        require(!denied[to], "denied");
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
        return true;
    }
}
"""

BYTECODE: Final = bytes.fromhex(
    "6080604052348015600e575f5ffd5b506104eb8061001c5f395ff3fe608060405234801561000f575f5ffd5b"
    "5060043610610081575f3560e01c8063095ea7b31461008557806323b872dd146100ad578063313ce5671461"
    "00c057806340c10f19146100da57806370a08231146100ef578063a9059cbb1461011c578063af5f70851461"
    "012f578063dd62ed3e14610167578063fc9d96ba14610191575b5f5ffd5b6100986100933660046103ab565b"
    "6101b3565b60405190151581526020015b60405180910390f35b6100986100bb3660046103d3565b6101e056"
    "5b6100c8600681565b60405160ff90911681526020016100a4565b6100ed6100e83660046103ab565b61022d"
    "565b005b61010e6100fd36600461040d565b5f6020819052908152604090205481565b604051908152602001"
    "6100a4565b61009861012a3660046103ab565b61028a565b6100ed61013d366004610426565b6001600160a0"
    "1b03919091165f908152600260205260409020805460ff1916911515919091179055565b61010e6101753660"
    "0461045f565b600160209081525f928352604080842090915290825290205481565b61009861019f36600461"
    "040d565b60026020525f908152604090205460ff1681565b335f908152600160208181526040808420600160"
    "0160a01b03871685529091529091208290555b92915050565b6001600160a01b0383165f9081526001602090"
    "815260408083203384529091528120805483919083906102149084906104a4565b9091555061022590508484"
    "8461029d565b949350505050565b6001600160a01b0382165f90815260208190526040812080548392906102"
    "549084906104b7565b90915550506040518181526001600160a01b038316905f905f5160206104cb5f395f51"
    "905f529060200160405180910390a35050565b5f61029633848461029d565b9392505050565b6001600160a0"
    "1b0382165f9081526002602052604081205460ff16156102f25760405162461bcd60e51b8152602060048201"
    "52600660248201526519195b9a595960d21b604482015260640160405180910390fd5b6001600160a01b0384"
    "165f90815260208190526040812080548492906103199084906104a4565b90915550506001600160a01b0383"
    "165f90815260208190526040812080548492906103459084906104b7565b92505081905550826001600160a0"
    "1b0316846001600160a01b03165f5160206104cb5f395f51905f528460405161037e91815260200190565b60"
    "405180910390a35060019392505050565b80356001600160a01b03811681146103a6575f5ffd5b919050565b"
    "5f5f604083850312156103bc575f5ffd5b6103c583610390565b946020939093013593505050565b5f5f5f60"
    "6084860312156103e5575f5ffd5b6103ee84610390565b92506103fc60208501610390565b92959294505050"
    "6040919091013590565b5f6020828403121561041d575f5ffd5b61029682610390565b5f5f60408385031215"
    "610437575f5ffd5b61044083610390565b915060208301358015158114610454575f5ffd5b80915050925092"
    "9050565b5f5f60408385031215610470575f5ffd5b61047983610390565b915061048760208401610390565b"
    "90509250929050565b634e487b7160e01b5f52601160045260245ffd5b818103818111156101da576101da61"
    "0490565b808201808211156101da576101da61049056feddf252ad1be2c89b69c2b068fc378daa952ba7f163"
    "c4a11628f55a4df523b3ef"
)


async def deploy(chain: LocalChain) -> str:
    """Put one on a chain; return its address, lower case."""
    wallet = await chain.wallet(DEPLOYER)
    receipt = await wallet.send({"data": "0x" + BYTECODE.hex()})  # type: ignore[typeddict-item]  # Hex is hex.
    address = receipt["contractAddress"]
    assert address is not None
    return str(address).lower()


async def deny(chain: LocalChain, token: str, account: str, *, yes: bool = True) -> None:
    """Have the token refuse to be sent to an account, or no longer."""
    data = selector("deny(address,bool)") + encode(["address", "bool"], [account, yes])
    await (await chain.wallet(DEPLOYER)).call(target=token, data="0x" + data.hex())
