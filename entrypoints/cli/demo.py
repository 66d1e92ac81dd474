"""``switchyard demo``: the whole gateway on this machine, from one command."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import click

from config.demo.record import Demo, Directory, Ports
from entrypoints.cli.lifetime import stop_event
from entrypoints.cli.processes import NotReady, Process, ProcessEnded, free, running

API_PORT = 8080
INTERRUPTED = 130
"""The exit status of a program that Ctrl-C has ended before it was done."""
DEVNET_PORT = 8545
SCRIPT_BLOCK_SECONDS = 0.3
TON_BLOCK_SECONDS = 0.4
"""About as long as between blocks of the main network."""


@attrs.frozen(kw_only=True)
class World:
    """A demo that runs: what it is made of, and the processes it consists of."""

    demo: Demo
    directory: Directory
    api_url: str
    rpc_url: str
    without_ton: str | None
    """Why no TON chain runs, where none does."""
    dsn: str
    settings: dict[str, object]
    processes: tuple[Process, ...]


@click.command()
@click.option("--script", is_flag=True, help="Take payments, check everything, and exit.")
@click.option("--json", "as_json", is_flag=True, help="With --script: print JSON lines.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept; with --script a new temporary directory.",
)
@click.option("--evm-rpc", metavar="URL", help="Use this node instead of a devnet of our own.")
@click.option("--port", type=click.IntRange(0, 65535), help=f"The API's port ({API_PORT}).")
@click.option(
    "--devnet-port", type=click.IntRange(0, 65535), help=f"The devnet's port ({DEVNET_PORT})."
)
@click.option("--keep", is_flag=True, help="With --script: keep the data directory.")
def demo(
    *,
    script: bool,
    as_json: bool,
    data: Path | None,
    evm_rpc: str | None,
    port: int | None,
    devnet_port: int | None,
    keep: bool,
) -> None:
    """Run a whole gateway here: a database, a chain, the API and a worker."""
    from config.demo.record import Directory, default_directory

    temporary = Path(tempfile.mkdtemp(prefix="switchyard-")) if script and data is None else None
    root = temporary or data or default_directory()
    try:
        status = asyncio.run(
            _run(
                Directory(root.resolve()),
                script=script,
                as_json=as_json,
                evm_rpc=evm_rpc,
                ports=_ports(script=script, evm_rpc=evm_rpc, api=port, devnet=devnet_port),
            )
        )
    except (ProcessEnded, NotReady) as error:
        click.echo(f"{error.name} does not run; the end of {error.log}:", err=True)
        click.echo("\n".join(error.log.read_text().splitlines()[-15:]), err=True)
        status = 1
    finally:
        if temporary is not None and not keep:
            shutil.rmtree(temporary, ignore_errors=True)
    sys.exit(status)


def _ports(*, script: bool, evm_rpc: str | None, api: int | None, devnet: int | None) -> Ports:
    """Choose ports nobody listens on; a script, which needs no known one, takes any.

    Raises:
        PortTaken: somebody listens on one that was asked for.
    """
    return Ports(
        api=free((0 if script else API_PORT) if api is None else api),
        devnet=free((0 if script or evm_rpc else DEVNET_PORT) if devnet is None else devnet),
    )


async def _run(
    directory: Directory, *, script: bool, as_json: bool, evm_rpc: str | None, ports: Ports
) -> int:
    stop = stop_event()
    stopped = asyncio.create_task(stop.wait())
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(
            _start(stack, directory, script=script, evm_rpc=evm_rpc, ports=ports)
        )
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return INTERRUPTED
        world = starting.result()
        work: asyncio.Task[int] | None = None
        watched = [asyncio.create_task(process.ended()) for process in world.processes]
        if script:
            from entrypoints.cli.story.chapters import tell

            work = asyncio.create_task(tell(world, as_json=as_json))
        else:
            click.echo(_welcome(world))
        tasks = {stopped, *watched, *([work] if work else [])}
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for process in watched:
            if process in done:
                process.result()  # Raises: a process of the demo has ended by itself.
        if work in done and work is not None:
            return work.result()
        return INTERRUPTED if script else 0


async def _start(
    stack: AsyncExitStack,
    directory: Directory,
    *,
    script: bool,
    evm_rpc: str | None,
    ports: Ports,
) -> World:
    """Start everything in order; the stack stops it in the reverse one."""
    from config import ton_devnet
    from config.demo import running as plan
    from config.demo.provisioning import provision

    directory.prepare()
    processes = []
    postgres = plan.database(directory)
    await asyncio.to_thread(postgres.start)
    stack.push_async_callback(asyncio.to_thread, postgres.stop)
    dsn = await asyncio.to_thread(plan.migrated, postgres)
    rpc_url = evm_rpc or f"http://127.0.0.1:{ports.devnet}"
    if evm_rpc is None:
        devnet = await stack.enter_async_context(
            running(
                "devnet",
                "devnet",
                f"--database={directory.devnet}",
                f"--port={ports.devnet}",
                f"--block-seconds={SCRIPT_BLOCK_SECONDS if script else 1.0}",
                log=directory.logs / "devnet.log",
            )
        )
        await devnet.answers(rpc_url)
        processes.append(devnet)
    without_ton = ton_devnet.available()
    if without_ton is None:
        processes.append(await _start_ton(stack, directory))
    made = await provision(
        directory, rpc_url=rpc_url, dsn=dsn, ports=ports, with_ton=without_ton is None
    )
    api_url = f"http://127.0.0.1:{ports.api}"
    settings = {}
    for name, signs in (("api", False), ("worker", True)):
        settings[name] = plan.settings_of(
            made,
            directory=directory,
            dsn=dsn,
            ports=ports,
            brisk=script,
            signs=signs,
            with_ton=without_ton is None,
        )
        file = plan.write_settings(settings[name], directory.root / f"{name}.toml")
        command = "serve" if name == "api" else "worker"
        processes.append(
            await stack.enter_async_context(
                running(name, command, f"--settings={file}", log=directory.logs / f"{name}.log")
            )
        )
    await processes[-2].answers(f"{api_url}/readyz")
    return World(
        demo=made,
        directory=directory,
        api_url=api_url,
        rpc_url=rpc_url,
        without_ton=without_ton,
        dsn=dsn,
        settings=settings["api"],
        processes=tuple(processes),
    )


async def _start_ton(stack: AsyncExitStack, directory: Directory) -> Process:
    """Start the TON chain; return when its liteserver listens."""
    files = directory.ton
    files.network.unlink(missing_ok=True)
    process = await stack.enter_async_context(
        running(
            "ton-devnet",
            "ton-devnet",
            f"--database={files.chain}",
            f"--config-file={files.network}",
            f"--block-seconds={TON_BLOCK_SECONDS}",
            log=directory.logs / "ton-devnet.log",
        )
    )
    await process.makes(files.network)
    return process


def _on_ton(world: World) -> str:
    if world.without_ton is not None:
        return f"no chain here: {world.without_ton}"
    if world.demo.ton is None:
        return "none: this demo began on a machine that could run no chain"
    return f"test USDT {world.demo.ton.jetton}"


def _welcome(world: World) -> str:
    demo = world.demo
    body = (
        f'{{"method": "address", "asset": "{demo.asset}", '
        '"price": {"asset": "iso4217:USD", "amount": "2500"}}'
    )
    return f"""\
Switchyard is running. Ctrl-C stops it; the next start goes on where it was.

  API           {world.api_url}            (document: {world.api_url}/openapi.json)
  API key       {demo.api_key}
  EVM node      {world.rpc_url}            (chain {demo.chain})
  test USDT     {demo.token}
  TON           {_on_ton(world)}
  escrow        {demo.escrow_contract}
  data          {world.directory.root}

Ask for 25.00 USD in test USDT:

  curl -s {world.api_url}/v1/payment_intents \\
    -H 'Authorization: Bearer {demo.api_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{body}'

Pay it as one of the devnet's well-known payers:

  switchyard pay --api {world.api_url} --data {shlex.quote(str(world.directory.root))} \\
    <id of the payment intent>
"""
