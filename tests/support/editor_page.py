"""The editor and the sandbox's files, as tests handle them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from playwright.sync_api import Locator, Page, expect

from tests.support.manta_process import Manta
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

PAGE = "/blaxel/app/public/index.html"
MARK = "/blaxel/mark.txt"
NOTES_THE_MARK = """
(mark) => window.addEventListener("files:changed", ({ detail: { changes } }) => {
  window.isMarkTold ||= changes.some(({ path }) => path === mark);
}, true)
"""
# Changes of files that the page is told are held back until they are released.
HOLDS_CHANGES = """
() => {
  const held = [];
  const hold = (event) => {
    event.stopImmediatePropagation();
    held.push(event.detail);
  };
  window.addEventListener("files:changed", hold, true);
  window.heldPaths = () => held.flatMap(({ changes }) => changes.map(({ path }) => path));
  window.releaseChanges = () => {
    window.removeEventListener("files:changed", hold, true);
    for (const detail of held) {
      document.body.dispatchEvent(new CustomEvent("files:changed", { detail }));
    }
  };
}
"""
# The paths of this person's drafts, as the browser keeps them.
KEPT_PATHS = """
async () => {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const { owner } = document.getElementById("editor").dataset;
  const database = await settled(indexedDB.open("manta-drafts", 1));
  const store = database.transaction("drafts").objectStore("drafts");
  const keys = await settled(store.getAllKeys(IDBKeyRange.bound([owner], [owner, []])));
  database.close();
  return keys.map(([, path]) => path);
}
"""


class Disk:
    """The sandbox's files, as somebody else changes them."""

    def __init__(self, manta: Manta, visitor: Visitor) -> None:
        self.http = visitor.http
        self.blaxel = manta.blaxel
        self.name = visitor.until_ready()
        self.headers = {
            "X-CSRFToken": visitor.http.cookies["csrftoken"],
            "Origin": str(visitor.http.base_url).rstrip("/"),
        }

    def read(self, path: str) -> str:
        answer = self.http.get("/api/sandbox/files", params={"path": path})
        return str(answer.raise_for_status().json()["content"])

    def read_bytes(self, path: str) -> bytes:
        answer = self.http.get("/api/sandbox/files/content", params={"path": path})
        return answer.raise_for_status().content

    def write(self, path: str, text: str) -> None:
        found = self.http.get("/api/sandbox/files", params={"path": path})
        version = found.json()["version"] if found.is_success else None
        sent = {"path": path, "content": text, "version": version}
        self.http.put("/api/sandbox/files", json=sent, headers=self.headers).raise_for_status()

    def run(self, command: str) -> str:
        """What a command prints that succeeds."""
        ran = self.blaxel.run(self.name, command)
        assert ran["exitCode"] == 0, ran["stderr"]
        return str(ran["stdout"])

    def make(self, path: str, command: str) -> None:
        """A file of what a command prints."""
        assert self.blaxel.run(self.name, f"{command} > {path}")["exitCode"] == 0

    def delete(self, path: str) -> None:
        self.http.delete(
            "/api/sandbox/files", params={"path": path}, headers=self.headers
        ).raise_for_status()


class Pane:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.locator(".editor-file:not([hidden]) .editor-bar")

    def open(self, path: str) -> None:
        self.tell("files:open", {"path": path})
        expect(self.page.locator("[data-editor-path]")).to_have_text(path)

    def tell(self, name: str, detail: object) -> None:
        self.page.evaluate(
            "([name, detail]) => document.body.dispatchEvent(new CustomEvent(name, { detail }))",
            [name, detail],
        )

    @property
    def text(self) -> Locator:
        return self.page.locator(".editor-file:not([hidden]) .editor-surface .cm-content")

    def type(self, words: str) -> None:
        self.text.focus()
        self.page.keyboard.press("Control+Home")
        self.page.keyboard.type(words)

    def save(self) -> None:
        self.page.keyboard.press("Control+s")

    def reads(self, words: str) -> None:
        expect(self.page.locator("[data-editor-state]")).to_have_text(words)

    def says(self, words: str) -> None:
        expect(self.bar).to_contain_text(words)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    @contextmanager
    def told_late(self, path: str) -> Iterator[None]:
        """Until the end of the block, and until the path's is among them, no change is told.

        The page's date stands still from here on: the editor takes a change for its own save's for
        some seconds, in which a busy machine may not have told it.
        """
        self.page.clock.set_fixed_time(datetime.now())
        self.page.evaluate(HOLDS_CHANGES)
        yield
        wait_until(lambda: path in self.page.evaluate("heldPaths()"))
        self.page.evaluate("releaseChanges()")

    def until_told(self, disk: Disk) -> None:
        """Wait until all changes of files so far have been told, as they are in their order."""
        self.page.evaluate(NOTES_THE_MARK, MARK)

        def is_told() -> bool:
            # Again, because the page may not listen yet.
            disk.write(MARK, secrets.token_hex())
            return bool(self.page.evaluate("window.isMarkTold"))

        wait_until(is_told)

    def follows(self, path: str, disk: Disk) -> None:
        """Require that what changes in an open file on disk is shown."""
        disk.write(path, "followed")
        expect(self.text).to_have_text("followed")

    def until_kept(self, path: str) -> None:
        """Until the draft of a path is in the browser."""
        wait_until(lambda: path in self.kept())

    def kept(self) -> list[str]:
        """Return the paths of the drafts that are in the browser."""
        paths: list[str] = self.page.evaluate(KEPT_PATHS)
        return paths
