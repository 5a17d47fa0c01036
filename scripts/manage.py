"""`make manage ARGS=doctor`: manage.py as `make run` would start it, with the same variables."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from manta.core import env
from scripts.child import StartError, say
from scripts.processes import ROOT
from scripts.run import Plan, local_blaxel_environ, manta_environ, provider_environ


def main() -> int:
    try:
        env.load_dotenv(ROOT / ".env")
        environ = environ_of(Plan.read())
    except (StartError, ImproperlyConfigured) as exc:
        say(f"manta: {exc}")
        return 1
    os.execve(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]], environ)  # noqa: S606


def environ_of(plan: Plan) -> dict[str, str]:
    if not plan.state_dir.is_dir():
        raise StartError(f"There is nothing in {plan.state_dir} yet: start `make run` first.")
    environ = manta_environ(plan)
    if not plan.local_port:
        return environ
    try:
        return environ | provider_environ(local_blaxel_environ(plan.local_port, plan.state_dir))
    except OSError as exc:
        raise StartError("local_blaxel has never run here: start `make run` first.") from exc


if __name__ == "__main__":
    sys.exit(main())
