"""What is written about Manta is true, and nothing of one machine is committed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.variables import every_variable, read, variables_of_the_product

ROOT = Path(__file__).resolve().parent.parent
# A path of somebody's machine, or an index that somebody's machine uses. The brackets keep the
# pattern from finding itself.
OF_ONE_MACHINE = r"/([w]ork|[f]arm|[r]oot)/|[p]ythonhosted|[p]ypi\.org|[n]pmjs\.org|[d]eb\.debian"


def in_env_example() -> dict[str, str]:
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))


def in_table(name: str) -> dict[str, str]:
    rows = re.findall(r"^\| `([A-Z_]+)`(?: \*)? \| ([^|]*) \|", read(name), re.MULTILINE)
    return {variable: default.strip() for variable, default in rows}


def test_settings_reads_variables_at_all():
    assert {"SECRET_KEY", "BLAXEL_API_KEY", "SANDBOX_TTL"} <= variables_of_the_product()


def test_env_example_lists_every_variable():
    assert in_env_example().keys() == every_variable()


def test_configuration_md_explains_every_variable():
    assert in_table("docs/configuration.md").keys() == every_variable()


def test_both_lists_name_the_same_defaults():
    written = {k: v.strip('"') for k, v in in_env_example().items() if v}
    table = {k: v.strip("`") for k, v in in_table("docs/configuration.md").items() if "`" in v}

    assert table == written


def test_the_readme_fits_on_a_few_screens():
    assert len(read("README.md").splitlines()) <= 150


PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md"] + [
    f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))
]
# In these, `a/path.py` is a file or a folder of this repository.
GUIDES = [f"docs/{name}.md" for name in ("overview", "walkthroughs", "recipes", "glossary")]


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_links_to_is_there(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))

    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_path_that_a_guide_names_is_there(name):
    paths = re.findall(r"`([a-z_]+/[\w./-]*?(?:\.\w+|/))`", read(name))

    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_function_of_a_walkthrough_is_in_its_file():
    hops = re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", read("docs/walkthroughs.md"), re.MULTILINE)

    assert hops
    assert [hop for hop in hops if not re.search(rf"\b{hop[1]}\b", read(hop[0]))] == []


def test_the_index_names_every_document():
    index = read("docs/README.md")
    documents = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}

    assert [name for name in sorted(documents) if f"]({name})" not in index] == []


def test_every_verb_that_a_page_names_is_in_the_makefile():
    verbs = set(re.findall(r"^([a-z-]+):.*## ", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`?\bmake ([a-z-]+)\b`", read("README.md") + read("CONTRIBUTING.md")))

    assert named
    assert named <= verbs


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"]
)
def test_a_lock_names_packages_and_hashes_but_no_address(name):
    assert "://" not in read(name)


def test_tests_install_exactly_what_a_run_installs_and_more():
    pinned = re.compile(r"^\S+==\S+", re.MULTILINE)
    run, test = (set(pinned.findall(read(f"requirements{dev}.lock"))) for dev in ("", "-dev"))

    assert run < test


def test_nothing_of_one_machine_is_committed():
    search = ["git", "grep", "-nIE", OF_ONE_MACHINE, "--", ".", ":!*.svg", ":!static/vendor"]
    found = subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=False)

    # 1: git grep looked, and found nothing.
    assert (found.returncode, found.stdout) == (1, "")
