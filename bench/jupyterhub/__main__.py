"""`python -m bench.jupyterhub --hub VENV`: the table of Manta beside JupyterHub, in six minutes.

It needs a virtual environment with JupyterHub and what its people's servers are made of, and its
proxy, neither of which Manta uses:

    python3 -m venv VENV
    VENV/bin/pip install jupyterhub==6.1.1 jupyterlab jupyter-server-proxy
    npm install configurable-http-proxy    # then --proxy node_modules/.bin/configurable-http-proxy

Both run on loopback, with the same client. JupyterHub signs in by a dummy authenticator, which
hashes no password, and starts servers as processes that nothing isolates.
"""

import shutil
import subprocess
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from bench import installation, report
from bench.blaxel.ports import SERVING, directly
from bench.jupyterhub import hub, rows
from bench.report import Group, Table
from tests.support.manta_process import Manta
from tests.support.visitor import Visitor

# The starter project has 3000.
PORT = 4000


def main(given: list[str] | None = None) -> None:
    parser = report.Arguments(
        prog="python -m bench.jupyterhub",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hub", type=Path, required=True, metavar="VENV")
    parser.add_argument("--proxy", default="configurable-http-proxy", metavar="PROGRAM")
    arguments = parser.parse_args(given)
    proxy = shutil.which(arguments.proxy)
    if proxy is None:
        parser.error(f"there is no {arguments.proxy}")
    venv = arguments.hub.resolve()
    group = Group("Beside JupyterHub", lambda: measure(venv, str(Path(proxy).resolve())))
    about = (
        f"{report.conditions()} JupyterHub {_version(venv)}. Medians of {rows.ROUNDS}, by turns."
    )
    report.publish(group, about, write=arguments.write)


def _version(venv: Path) -> str:
    command = [venv / "bin" / "jupyterhub", "--version"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def measure(venv: Path, proxy: str) -> list[Table]:
    with (
        hub.running(venv, proxy) as theirs,
        installation.running() as (manta, visitor),
        directly(manta.state_dir / "serving.py") as direct,
    ):
        _serve(manta, visitor)
        scopes = ("sandbox:read", "files:read")
        token = installation.token(manta, visitor.email, *scopes)
        of_hub = rows.of_hub(theirs, direct)
        of_manta = rows.of_manta(manta, visitor, token, PORT)
        found = [
            *rows.rates(of_hub, of_manta),
            *rows.transfers(of_hub, of_manta, direct),
            rows.arrivals(theirs, manta),
            rows.keys(theirs, manta, visitor),
        ]
    return [Table(rows.HEADINGS, found)]


def _serve(manta: Manta, visitor: Visitor) -> None:
    """Put the file and the server that are asked for into the sandbox, and keep it awake."""
    name = visitor.until_ready()
    manta.blaxel.write(name, rows.FILE, hub.TEXT)
    manta.blaxel.write(name, "/blaxel/serving.py", SERVING)
    command = f"python3 /blaxel/serving.py {PORT}"
    manta.blaxel.run(
        name, command, waitForCompletion=False, waitForPorts=[PORT], keepAlive=True, timeout=0
    )


if __name__ == "__main__":
    main()
