"""Finding files by name and content, and copying them."""

from urllib.parse import quote

import pytest

TREE = """cd {} && mkdir -p src/deep node_modules/left .hidden empty &&
printf 'one\\ntwo\\nthree Needle, needle\\nfour\\n' > src/main.py &&
printf 'needle' > src/deep/a.txt && printf 'needle' > .hidden/b.py &&
printf 'needle' > node_modules/left/c.py && printf 'needle\\0' > src/data.bin &&
ln -s main.py src/link.py && mkfifo src/pipe"""


@pytest.fixture
def project(agent, folder):
    assert agent.run(TREE.format(folder)).code == 0
    return folder


def found(agent, url):
    answer = agent.get(url).raise_for_status().json()
    assert answer["total"] == len(answer["matches"])
    return [match["path"] for match in answer["matches"]]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("patterns=*.py", ["src/link.py", "src/main.py"]),
        ("patterns=*.py,*.txt", ["src/link.py", "src/main.py", "src/deep/a.txt"]),
        ("patterns=*.py&excludeHidden=false", [".hidden/b.py", "src/link.py", "src/main.py"]),
        ("patterns=*.py&excludeDirs=src", ["node_modules/left/c.py"]),
        ("type=directory", ["empty", "src", "src/deep"]),
        ("type=directory&patterns=d*", ["src/deep"]),
        ("patterns=*.nothing", []),
        ("maxResults=1", ["src/data.bin"]),
        ("maxResults=0&patterns=*.txt", ["src/deep/a.txt"]),
    ],
)
def test_names_are_found_by_globs(agent, project, query, paths):
    assert found(agent, f"/filesystem-find/{project}?{query}") == paths


@pytest.mark.parametrize("query", ["type=socket", "maxResults=many", "maxResults=-1"])
def test_a_search_that_makes_no_sense_is_refused(agent, project, query):
    assert agent.get(f"/filesystem-find/{project}?{query}").status_code == 400


@pytest.mark.parametrize(("path", "status"), [("nowhere", 404), ("src/main.py", 400)])
def test_only_a_directory_is_searched(agent, project, path, status):
    assert agent.get(f"/filesystem-find/{project}/{path}").status_code == status


def test_a_fuzzy_search_needs_the_letters_in_their_order(agent, project):
    assert found(agent, f"/filesystem-search/{project}?query=mnpy") == ["src/main.py"]
    assert found(agent, f"/filesystem-search/{project}?query=src")[0] == "src"
    assert found(agent, f"/filesystem-search/{project}?query=zzz") == []


def test_content_is_found_once_a_line_in_text_files_and_hidden_ones(agent, project):
    answer = agent.get(f"/filesystem-content-search/{project}?query=needle").json()

    assert answer == {
        "query": "needle",
        "matches": [
            {"path": ".hidden/b.py", "line": 1, "column": 1, "text": "needle"},
            {"path": "src/main.py", "line": 3, "column": 7, "text": "three Needle, needle"},
            {"path": "src/deep/a.txt", "line": 1, "column": 1, "text": "needle"},
        ],
        "total": 3,
    }


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("query=Needle&caseSensitive=true", ["src/main.py"]),
        ("query=needle&filePattern=*.txt", ["src/deep/a.txt"]),
        ("query=needle&maxResults=1", [".hidden/b.py"]),
        ("query=needle&excludeDirs=src,.hidden", ["node_modules/left/c.py"]),
        ("query=nothing-like-it", []),
    ],
)
def test_content_search_can_be_narrowed(agent, project, query, paths):
    assert found(agent, f"/filesystem-content-search/{project}?{query}") == paths


@pytest.mark.parametrize(
    ("lines", "context"),
    [
        ("1", "two\nthree Needle, needle\nfour"),
        ("999", "one\ntwo\nthree Needle, needle\nfour\n"),
        ("0", None),
        ("-1", None),
        ("abc", None),
    ],
)
def test_content_comes_with_the_lines_around_it(agent, project, lines, context):
    url = f"/filesystem-content-search/{project}?query=Needle&filePattern=*.py"

    matches = agent.get(f"{url}&caseSensitive=true&contextLines={lines}").json()["matches"]

    assert [match.get("context") for match in matches] == [context]


def test_a_content_search_needs_a_query(agent, project):
    assert agent.get(f"/filesystem-content-search/{project}").status_code == 400


def copy(agent, source, destination, **fields):
    body = {"source": source, "destination": destination, **fields}
    return agent.post("/filesystem-copy", json=body)


def test_a_copy_is_placed_as_cp_does(agent, project):
    agent.run(f"rm {project}/src/pipe; chmod 750 {project}/src/main.py")

    beside = copy(agent, f"{project}/src", f"{project}/other")
    into = copy(agent, f"{project}/src", f"{project}/empty")
    again = copy(agent, f"{project}/src", f"{project}/empty")

    assert [beside.status_code, into.status_code, again.status_code] == [200, 200, 422]
    assert beside.json()["destination"] == f"{project}/other"
    assert agent.run(f"diff -r {project}/src {project}/other").code == 0
    assert agent.run(f"cd {project}/empty/src; stat -c %a main.py; readlink link.py").output == (
        "750\nmain.py\n"
    )


def test_a_copy_may_overwrite_or_be_refused(agent, folder):
    agent.run(f"cd {folder}; echo new > a; echo old > b; mkdir c; ln -s nowhere d")

    refused = copy(agent, f"{folder}/a", f"{folder}/b", noOverwrite=True)
    dangling = copy(agent, f"{folder}/a", f"{folder}/d", noOverwrite=True)
    fresh = copy(agent, f"{folder}/a", f"{folder}/c", noOverwrite=True)
    twice = copy(agent, f"{folder}/a", f"{folder}/c", noOverwrite=True)

    assert agent.read(f"{folder}/b") == "old\n"
    assert [refused.status_code, dangling.status_code, twice.status_code] == [409, 409, 409]
    assert refused.json()["code"] == "FILE_ALREADY_EXISTS"
    assert (fresh.status_code, agent.read(f"{folder}/c/a")) == (200, "new\n")
    assert copy(agent, f"{folder}/a", f"{folder}/b").status_code == 200
    assert agent.read(f"{folder}/b") == "new\n"


@pytest.mark.parametrize(
    ("source", "destination", "status"),
    [
        ("nowhere", "x", 422),
        ("src", "src/deep", 422),
        ("src/pipe", "x", 422),
        ("src/main.py", "src/main.py", 422),
        ("src/main.py", "\0", 400),
        ("src/main.py", "", 400),
    ],
)
def test_a_copy_that_cannot_be_made_is_refused(agent, project, source, destination, status):
    answer = copy(agent, f"{project}/{source}", destination and f"{project}/{destination}")

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("ΟΔΟΣ", "οδος"),
        ("ﬁle", "FILE"),
        ("oﬃce", "office"),
        ("Cafe\u0301", "CAFÉ"),
        ("ＡＢＣ", "abc"),  # noqa: RUF001
    ],
)
def test_a_fuzzy_search_finds_a_name_in_any_case_and_form(agent, folder, name, query):
    agent.put(f"/filesystem/{folder}/{quote(name)}", json={"content": ""}).raise_for_status()

    assert found(agent, f"/filesystem-search/{folder}?query={quote(query)}") == [name]


def test_content_is_found_in_any_case_and_in_its_place(agent, folder):
    agent.put(f"/filesystem/{folder}/x", json={"content": "ßß Große ΟΔΟΣ"}).raise_for_status()

    def columns(query):
        answer = agent.get(f"/filesystem-content-search/{folder}?query={quote(query)}").json()
        return [match["column"] for match in answer["matches"]]

    assert [columns(query) for query in ("GROSSE", "οδος", "sS", "gross")] == [[4], [10], [1], [4]]
