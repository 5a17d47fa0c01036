"""The file tree, as people use it."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, sign_in_as

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
  const entry = folder(name, [file("one.txt", text), folder("sub", [file("two # ?.txt", text)])]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const types = ["Files"], items = [{ webkitGetAsEntry: () => entry }];
  event.dataTransfer = { types, items };
  document.getElementById("files-tree").dispatchEvent(event);
}"""


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


def test_they_are_there_as_soon_as_a_new_sandbox_is(manta, page, complaints):
    Person(page).sign_up()

    expect(item(page.get_by_role("tree", name="Files"), "serve.mjs")).to_be_visible()
    assert complaints == []


def test_a_folder_that_is_dropped_is_uploaded_whole(page, tree):
    page.evaluate(DROP, ["dropped", "hello"])

    item(tree, "dropped").click()
    item(tree, "sub").click()

    expect(item(tree, "two # ?.txt")).to_be_visible()
    expect(item(tree, "one.txt")).to_be_visible()


def test_a_file_is_made_renamed_deleted_and_brought_back_by_keyboard(page, tree):
    page.get_by_role("button", name="New file").click()
    answer(page, "it's #1 100%.txt")
    made = item(tree, "it's #1 100%.txt")

    made.press("F2")
    answer(page, "second.txt")
    item(tree, "second.txt").press("Delete")
    expect(item(tree, "second.txt")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    expect(item(tree, "second.txt")).to_be_visible()


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
