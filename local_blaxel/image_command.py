"""`python -m local_blaxel image import NAME FILE`, `image list` and `image rm NAME`."""

from __future__ import annotations

import sys
from pathlib import Path

from local_blaxel.config import Config
from local_blaxel.hub.roots import ImageError, Roots
from local_blaxel.store import Store

USAGE = """\
usage: python -m local_blaxel image import NAME ROOTFS.tar[.zst]
       python -m local_blaxel image list
       python -m local_blaxel image rm NAME"""


def main(arguments: list[str], config: Config) -> int:
    roots = Roots(config.state_dir / "images")
    try:
        match arguments:
            case ["import", name, archive]:
                if config.isolation == "none":
                    raise ImageError("custom images need bubblewrap")
                roots.add(name, Path(archive))
                print(f"{name}:latest can be used now")
            case ["list"]:
                print("".join(f"{name}:latest\n" for name in roots.all()), end="")
            case ["rm", name]:
                _refuse_used(name, config)
                roots.remove(name)
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except ImageError as exc:
        print(f"local_blaxel: {exc}", file=sys.stderr)
        return 1
    return 0


def _refuse_used(name: str, config: Config) -> None:
    store = Store(config.state_dir / "local_blaxel.sqlite3")
    rows = [row for row in store.sandboxes() if row.phase != "TERMINATED"]
    store.close()
    images = {row.name: row.record["spec"]["runtime"]["image"] for row in rows}
    users = [row for row, image in images.items() if image in (name, f"{name}:latest")]
    if users:
        raise ImageError(
            f"the image {name} is used by sandbox {users[0]}: delete the sandbox first"
        )
