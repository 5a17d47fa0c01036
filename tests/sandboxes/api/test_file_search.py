"""Searching names and contents in a real sandbox, over the REST API."""

from unicodedata import normalize

import pytest

from tests.support.files_api import saved

pytestmark = pytest.mark.data_plane


@pytest.fixture
def api(files_api):
    return files_api


def test_contents_are_searched_with_their_lines(api, run):
    run(
        "mkdir -p s/node_modules; printf 'x\\nSome Words here\\n' > 's/a b#'; "
        "cp 's/a b#' s/node_modules; (head -c 3000 /dev/zero | tr '\\0' y; echo ' words') > s/long"
    )

    found = api("get", "/search", path="/blaxel/s", query="words", **{"in": "contents"}).json()

    by_path = {match["path"]: match for match in found["matches"]}
    assert set(by_path) == {"/blaxel/s/a b#", "/blaxel/s/long"}
    assert by_path["/blaxel/s/a b#"]["line"] == 2
    assert by_path["/blaxel/s/a b#"]["text"] == "Some Words here"
    assert len(by_path["/blaxel/s/long"]["text"]) < 300
    assert found["more"] is False


def test_names_with_letters_of_a_glob_are_searched_as_they_are(api, run):
    run("mkdir g; cd g; touch 'a[1].txt' a1.txt 'x*y' xzy 'one,two'")

    def names(query):
        found = api("get", "/search", path="/blaxel/g", query=query).json()
        return [match["path"].rpartition("/")[2] for match in found["matches"]]

    assert (names("[1]"), names("X*"), names(",T")) == (["a[1].txt"], ["x*y"], ["one,two"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_and_texts_are_found_in_either_normal_form(api, form):
    nfc, nfd = (normalize(each, "Žluťoučký kůň") for each in ("NFC", "NFD"))
    for name in (nfc, nfd):
        saved(api, f"/blaxel/forms/{name}.txt", f"{name}\n")
    query = normalize(form, "ťoučký KŮŇ".casefold())

    names = api("get", "/search", path="/blaxel/forms", query=query).json()["matches"]
    exact = normalize(form, "ťoučký kůň")
    lines = api("get", "/search", path="/blaxel/forms", query=exact, **{"in": "contents"}).json()

    both = {f"/blaxel/forms/{name}.txt" for name in (nfc, nfd)}
    assert {match["path"] for match in names} == both
    assert {match["path"] for match in lines["matches"]} == both


@pytest.mark.parametrize(
    ("name", "query"), [("zé", "É"), ("~", "~"), ("x$y", "$"), ("z?(1)", "?("), ("z{a}", "{A}")]
)
def test_a_name_is_found_among_more_than_a_search_lists(api, run, name, query):
    run(f"mkdir -p crowd; cd crowd; seq -f 'a%g' 3000 | xargs touch; touch '{name}'")

    found = api("get", "/search", path="/blaxel/crowd", query=query).json()["matches"]

    assert [match["path"] for match in found] == [f"/blaxel/crowd/{name}"]


def test_a_name_is_found_in_any_case_and_form(api, run):
    named = {
        "Straße.txt": ("STRASSE", "straß", "ss", "ße."),
        "GROSS": ("groß", "oß"),
        "ΟΔΟΣ": ("οδος", "σ", "ς"),  # noqa: RUF001
        "oﬃce": ("OFFICE", "fi"),
        "FINAL": ("ﬁnal",),
        "um 1\u202fPM": ("um 1 pm",),
        "№ 5": ("no 5",),
        "Cafe\u0301": ("café", "CAFÉ"),
        "ＡＢＣ": ("abc",),  # noqa: RUF001
        "K9": ("k9",),
    }
    for name in named:
        saved(api, f"/blaxel/folded/{name}", "")

    missing = [
        (name, query)
        for name, queries in named.items()
        for query in queries
        if f"/blaxel/folded/{name}" not in _paths(api, query)
    ]

    assert missing == []


def _paths(api, query):
    found = api("get", "/search", path="/blaxel/folded", query=query).json()
    return {match["path"] for match in found["matches"]}
