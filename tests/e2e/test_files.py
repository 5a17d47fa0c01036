"""The file tree, as people use it."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.person import sign_in_as

DROP = """([name, text]) => {
  const file = (name, text) => ({
    isFile: true, name, file: (take) => take(new File([text], name)),
  });
  const folder = (name, inside) => ({
    isFile: false, name, createReader: () => {
      const left = [inside, []];
      return { readEntries: (take) => take(left.shift()) };
    },
  });
  const bad = { isFile: true, name: "bad", file: (take, fail) => fail(new Error("no")) };
  const sub = folder("sub", [file("two # ?.txt", text)]);
  const bare = folder("bare", [folder("deep", [])]);
  const entry = folder(name, [bad, file("one.txt", text), sub, bare]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const types = ["Files"], items = [{ webkitGetAsEntry: () => entry }];
  event.dataTransfer = { types, items };
  document.getElementById("files-tree").dispatchEvent(event);
}"""

TREE = re.compile(r"/workspace/inside/files/\?")


@pytest.fixture
def tree(page, visitor):
    sign_in_as(page, visitor)
    page.goto("/workspace/")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('inside:wanted'))")
    tree = page.get_by_role("tree", name="Files")
    expect(tree.get_by_role("treeitem", name="serve.mjs")).to_be_visible()
    return tree


def item(tree, name):
    return tree.get_by_role("treeitem", name=name, exact=True)


def answer(page, text):
    page.locator("#files-dialog input").fill(text)
    page.locator("#files-dialog input").press("Enter")


@pytest.mark.exhaustive
def test_a_folder_that_is_dropped_is_uploaded_whole(page, tree):
    page.evaluate(DROP, ["dropped", "hello"])

    expect(page.get_by_text("be read: no")).to_be_visible()
    item(tree, "dropped").click()
    item(tree, "sub").click()

    expect(item(tree, "two # ?.txt")).to_be_visible()
    expect(item(tree, "one.txt")).to_be_visible()
    item(tree, "bare").click()
    expect(item(tree, "deep")).to_be_visible()


def test_a_file_is_made_renamed_deleted_and_brought_back_by_keyboard(page, tree):
    page.get_by_role("button", name="New file").click()
    answer(page, "it's #1 100%.txt")
    made = item(tree, "it's #1 100%.txt")

    # A new file opens, which takes the focus.
    expect(page.locator(".cm-content")).to_be_focused()
    made.press("F2")
    answer(page, "second.txt")
    item(tree, "second.txt").press("Delete")
    expect(item(tree, "second.txt")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    expect(item(tree, "second.txt")).to_be_visible()


@pytest.mark.exhaustive
def test_what_was_in_a_folder_that_is_gone_is_restored_with_it_or_elsewhere(page, tree, disk):
    disk.run("mkdir /blaxel/app/gone && cd /blaxel/app/gone && touch a.txt b.txt")
    item(tree, "gone").click()
    for name in ("a.txt", "b.txt"):
        item(tree, name).press("Delete")
        expect(item(tree, name)).to_have_count(0)
    disk.run("rm -r /blaxel/app/gone")
    expect(item(tree, "gone")).to_have_count(0)

    page.get_by_role("button", name="Undo").first.click()
    notice = page.locator(".notice", has_text="Folder not found: /blaxel/app/gone.")
    notice.get_by_role("button", name="Restore its folder, too").click()
    expect(item(tree, "gone")).to_be_visible()
    disk.run("rm -r /blaxel/app/gone")
    expect(item(tree, "gone")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    notice.get_by_role("button", name="Restore elsewhere…").click()
    answer(page, "/blaxel/app/b-again.txt")

    expect(item(tree, "b-again.txt")).to_be_visible()
    assert "b-again.txt" in disk.run("ls /blaxel/app")


@pytest.mark.exhaustive
def test_a_closed_folder_is_marked_and_the_rest_goes_on(page, tree, disk, complaints):
    disk.run("mkdir -m 000 /blaxel/app/closed")
    page.reload()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('inside:wanted'))")

    item(tree, "closed").click()
    expect(item(tree, "closed")).to_contain_text("Permission denied: /blaxel/app/closed")
    disk.run("touch /blaxel/app/new-one.txt")
    expect(item(tree, "new-one.txt")).to_be_visible()
    assert not page.locator(":text('Your sandbox does not answer'):visible").count()
    disk.run("chmod 755 /blaxel/app/closed")


def test_names_that_are_not_utf8_are_told_apart_opened_and_renamed(page, tree, disk):
    disk.run('cd /blaxel/app && for n in 350 351; do printf $n >"$(printf "caf\\\\$n.txt")"; done')
    item(tree, "caf%E8.txt").click()
    expect(page.locator(".cm-content")).to_have_text("350")
    item(tree, "caf%E9.txt").press("F2")
    answer(page, "café.txt")

    expect(item(tree, "café.txt")).to_be_visible()
    assert disk.run("cat /blaxel/app/café.txt") == "351"


@pytest.mark.exhaustive
def test_a_file_that_is_uploaded_keeps_a_name_that_looks_encoded(page, tree, disk):
    """One of this computer is called so, and is not the file of other bytes that is shown so."""
    named = ["caf%E9.txt", "caf%25E9.txt", "100%.txt"]
    files = [{"name": name, "mimeType": "text/plain", "buffer": name.encode()} for name in named]

    page.locator("#files-picker").set_input_files(files)

    for name in ("caf%25E9.txt", "caf%2525E9.txt", "100%.txt"):
        expect(item(tree, name)).to_be_visible()
    assert disk.run("cd /blaxel/app; cat caf%E9.txt caf%25E9.txt 100%.txt") == "".join(named)


@pytest.mark.exhaustive
def test_what_is_made_before_the_tree_is_there_is_made_where_it_begins(page, visitor):
    sign_in_as(page, visitor)
    page.route(TREE, lambda route: None)
    page.goto("/workspace/")
    page.get_by_role("button", name="New file", exact=True).click()
    answer(page, "early.txt")
    page.unroute(TREE)  # whatever was held goes on

    expect(page.locator("[data-editor-path]")).to_have_text("/blaxel/app/early.txt")
    tree = page.get_by_role("tree", name="Files")
    expect(item(tree, "early.txt")).to_be_visible()
    # A new file opens, which takes the focus.
    expect(page.locator(".cm-content")).to_be_focused()
    item(tree, "early.txt").press("Delete")
    expect(item(tree, "early.txt")).to_have_count(0)


def test_what_is_made_inside_appears(page, tree, visitor):
    page.request.put(
        "/api/sandbox/files/content?path=/blaxel/app/made-elsewhere.txt",
        headers={"Origin": re.match(r"\w+://[^/]+", page.url)[0]},
        data=b"x",
    )

    expect(item(tree, "made-elsewhere.txt")).to_be_visible()


def test_names_and_contents_are_found_and_opened_at_their_line(page, tree):
    page.evaluate(
        "document.body.addEventListener('files:open', (e) => { window.opened = e.detail; })"
    )
    page.get_by_label("Search in").select_option("contents")
    page.get_by_label("Search files").fill("<title>")

    page.get_by_role("button", name=re.compile(r"index\.html:\d+")).click()

    assert page.evaluate("window.opened.line") > 0


# All 10,000 lines at once take seconds; a busy machine takes a few times the usual 50 ms.
HITCH_MS = 1000
WATCH_LONG_TASKS = """() => {
  window.longest = 0;
  const watch = (list) => list.getEntries().forEach((task) => {
    window.longest = Math.max(window.longest, task.duration);
  });
  new PerformanceObserver(watch).observe({ type: "longtask" });
}"""


@pytest.mark.exhaustive
def test_a_folder_of_10_000_opens_and_scrolls_without_a_hitch(page, tree, visitor, manta):
    name = visitor.until_ready()
    manta.blaxel.run(
        name, "mkdir /blaxel/app/big && cd /blaxel/app/big && seq -w 10000 | xargs touch"
    )
    asked = []
    page.on("request", lambda request: "files/?" in request.url and asked.append(request.url))
    # By role, Playwright would look at each line's name, and be the longest task itself.
    lines = page.locator('.entry[data-name="big"] > ul > .entry')
    expect(item(tree, "big")).to_be_visible()
    page.evaluate(WATCH_LONG_TASKS)

    item(tree, "big").click()
    for shown in (300, 600, 900, 1200):
        expect(lines).to_have_count(shown)
        # The line goes as soon as it is seen, so that nothing may wait for it to be still.
        tree.get_by_text("more…").evaluate("line => line.scrollIntoView()")
    expect(lines).to_have_count(1500)
    assert page.evaluate("window.longest") < HITCH_MS

    asked.clear()
    manta.blaxel.run(name, "cd /blaxel/app/big && touch 00700a 09000a && rm 00003 && mkdir 00900x")
    expect(item(tree, "00700a")).to_be_attached()
    expect(item(tree, "00900x")).to_be_attached()
    expect(item(tree, "00003")).to_have_count(0)

    assert asked and all("name=" in url for url in asked)
    assert item(tree, "00700a").evaluate("it => it.nextElementSibling.dataset.name") == "00701"
    assert item(tree, "09000a").count() == 0
    assert page.evaluate("window.longest") < HITCH_MS


@pytest.mark.exhaustive
def test_a_line_is_dragged_into_a_folder_with_the_mouse(page, tree):
    page.get_by_role("button", name="New file").click()
    answer(page, "dragged.txt")
    expect(item(tree, "dragged.txt")).to_be_visible()

    item(tree, "dragged.txt").drag_to(item(tree, "public"))
    expect(item(tree, "dragged.txt")).to_have_count(0)
    item(tree, "public").click()

    expect(item(item(tree, "public"), "dragged.txt")).to_be_visible()


def test_an_upload_overwrites_when_told_to_and_not_when_cancelled(page, tree):
    uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    address = "/api/sandbox/files/content?path=/blaxel/app/twice.txt"

    for text in (b"one", b"two", b"three"):
        file = {"name": "twice.txt", "mimeType": "text/plain", "buffer": text}
        page.locator("#files-picker").set_input_files([file])
        if text == b"two":
            expect(uploads).to_contain_text("already")
            uploads.get_by_role("button", name="Cancel").click()
        elif text == b"three":
            assert page.request.get(address).body() == b"one"
            uploads.get_by_role("button", name="Overwrite").click()
        expect(uploads).to_have_count(0)
        expect(item(tree, "twice.txt")).to_be_visible()

    assert page.request.get(address).body() == b"three"


@pytest.mark.exhaustive
def test_a_large_upload_asks_before_it_is_sent(page, tree):
    uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    sent = []
    page.on("request", lambda request: request.method == "PUT" and sent.append(request.url))
    file = {"name": "serve.mjs", "mimeType": "text/plain", "buffer": bytes(2**21)}

    page.locator("#files-picker").set_input_files([file])
    expect(uploads).to_contain_text("Something already exists at /blaxel/app/serve.mjs.")
    assert sent == []
    uploads.get_by_role("button", name="Overwrite").click()
    expect(uploads).to_have_count(0)

    assert [url.partition("&")[2] for url in sent] == ["overwrite=true"]


@pytest.mark.exhaustive
def test_a_large_upload_takes_no_folders_place(page, tree, complaints):
    uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    sent = []
    page.on("request", lambda request: request.method == "PUT" and sent.append(request.url))

    page.locator("#files-picker").set_input_files(
        [
            {"name": "public", "mimeType": "text/plain", "buffer": bytes(2**21)},
            {"name": ".new", "mimeType": "text/plain", "buffer": bytes(2**21)},
        ]
    )

    expect(uploads).to_have_count(1)
    expect(uploads).to_contain_text("/blaxel/app/public is a folder.")
    expect(uploads.get_by_role("button", name="Retry")).to_be_visible()
    assert [url.rpartition("%2F")[2] for url in sent] == [".new"]
    assert complaints == []


@pytest.mark.exhaustive
def test_a_large_file_of_a_dropped_folder_is_asked_about(page, tree, complaints):
    uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")

    page.evaluate(DROP, ["public", "x" * 2**20])

    item(tree, "public").click()
    expect(item(tree, "one.txt")).to_be_visible()
    expect(uploads).to_have_count(0)
    page.evaluate(DROP, ["public", "x" * 2**20])
    expect(uploads).to_contain_text(
        ["at /blaxel/app/public/one.txt.", "at /blaxel/app/public/sub/two # ?.txt."]
    )
    assert complaints == []


@pytest.mark.exhaustive
def test_what_is_deleted_for_good_is_asked_about_and_gone(page, tree):
    item(tree, "serve.mjs").press("Shift+Delete")
    page.get_by_role("button", name="Cancel").click()
    expect(item(tree, "serve.mjs")).to_be_focused()

    item(tree, "serve.mjs").press("Shift+Delete")
    page.get_by_role("button", name="Delete permanently").click()

    expect(item(tree, "serve.mjs")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


REFUSED = """async (route) => {
  const part = new Uint8Array(2 ** 20);
  const answer = await fetch(route, { method: "PUT", body: new Blob(Array(60).fill(part)) });
  return [answer.status, (await answer.json()).code];
}"""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("route", "refusal"),
    [
        ("/api/sandbox/files/content?path=/blaxel/app/serve.py", [409, "file_exists"]),
        ("/api/sandbox/files", [413, "too_large"]),
    ],
)
def test_a_browser_is_told_why_a_large_upload_is_refused(page, tree, route, refusal):
    assert page.evaluate(REFUSED, route) == refusal
