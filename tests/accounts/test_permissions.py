"""The check of a token's scopes by itself, without a request over HTTP: every set of scopes."""

import itertools
from types import SimpleNamespace

import pytest

from accounts.models import Scope
from accounts.permissions import InsufficientScope, WithinScopes
from accounts.tokens import Grant
from tests.support.routes import API, API_VIEWS, METHODS

EVERY_SET = [
    frozenset(scopes)
    for size in range(len(Scope) + 1)
    for scopes in itertools.combinations(Scope.values, size)
]
# The scope of a route is that of its first part, of the longest that is here.
NOUNS = {
    "api/sandbox": {"read": "sandbox:read", "write": "sandbox:write"},
    "api/sandbox/files": {"read": "files:read", "write": "files:write"},
    "api/sandbox/ports": {"read": "ports", "write": "ports"},
    "api/sandbox/previews": {"read": "ports", "write": "ports"},
    "api/sandbox/processes": {"read": "processes", "write": "processes"},
    "api/sandbox/terminals": {"read": "terminal", "write": "terminal"},
}
READS = {"GET", "HEAD"}


def scope_by_the_rule(route, method):
    noun = max((noun for noun in NOUNS if f"{route}/".startswith(f"{noun}/")), key=len)
    return NOUNS[noun]["read" if method in READS else "write"]


def answer_by_the_rule(route, method, scopes, methods):
    if method not in methods:
        return True  # the view answers 405
    if method == "OPTIONS":
        return False
    needed = scope_by_the_rule(route, method)
    return True if needed in scopes else needed


def view_of(route):
    view = API_VIEWS[route]()
    view.setup(None)  # gives it HEAD, as for a request
    return view


def answer_to(view, method, auth):
    """Return True or False as DRF is told, or the scope that is said to be missing."""
    request = SimpleNamespace(method=method, auth=auth)
    try:
        return WithinScopes().has_permission(request, view)
    except InsufficientScope as exc:
        return exc.auth_header.split('"')[-2]


def granting(scopes):
    return Grant(user=None, scopes=scopes, name="CI", key="0" * 16)


@pytest.mark.parametrize("route", API)
def test_every_set_of_scopes_allows_what_the_rule_says_and_no_more(route):
    view = view_of(route)
    mismatches = []
    for method, scopes in itertools.product(METHODS, EVERY_SET):
        expected = answer_by_the_rule(route, method, scopes, view.allowed_methods)
        got = answer_to(view, method, granting(scopes))
        if got != expected:
            credential = f"a token of {sorted(scopes)}"
            mismatches.append(
                f"{method} /{route} with {credential}: expected {expected}, got {got}"
            )

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.parametrize("route", API)
def test_a_session_needs_no_scope(route):
    view = view_of(route)

    assert [method for method in METHODS if answer_to(view, method, None) is not True] == []


def test_a_view_that_names_no_scope_is_closed_to_every_token():
    view = SimpleNamespace(scopes={}, allowed_methods=METHODS)

    assert [m for m in METHODS if answer_to(view, m, granting(EVERY_SET[-1])) is not False] == []
