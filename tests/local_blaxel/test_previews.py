import json
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.inner_servers import ECHO, WEBSOCKET
from tests.support.local_blaxel import KEY, TIMEOUT, new_name
from tests.support.waiting import wait_until

# No TLS: to read all certificates takes longer than a request does.
PLAIN = {"trust_env": False, "verify": False, "timeout": TIMEOUT}
BROWSER = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site", "Accept": "text/html,*/*"}


@pytest.fixture(scope="module")
def shown(server):
    """A sandbox with an echo on 3000 and a WebSocket on 3002."""
    name = server.create()
    server.serve(name, 3000, ECHO)
    server.serve(name, 3002, WEBSOCKET)
    yield name
    server.http.delete(f"/v0/sandboxes/{name}")


@pytest.fixture
def preview(server, shown):
    """Makes a preview of the sandbox."""

    def make(port=3000, **spec):
        body = {"metadata": {"name": new_name()}, "spec": {"port": port, **spec}}
        made = server.http.post(f"/v0/sandboxes/{shown}/previews", json=body)
        assert made.status_code == 200, made.text
        return made.json()

    return make


def token_of(server, preview, lives=60.0):
    ends = datetime.now(UTC) + timedelta(seconds=lives)
    made = server.http.post(
        f"{api(preview)}/tokens",
        json={"metadata": {"name": ""}, "spec": {"expiresAt": ends.isoformat()}},
    )
    return made.json()


def api(preview):
    metadata = preview["metadata"]
    return f"/v0/sandboxes/{metadata['resourceName']}/previews/{metadata['name']}"


def host(server, preview):
    preview_id = preview["spec"]["url"].rpartition("/")[2]
    return f"{preview_id}.localhost:{server.port}"


def browse(server, preview, path="/", method="GET", **headers):
    """A request by the preview's host name, which no resolver here knows."""
    sent = {"Host": host(server, preview)} | {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx.request(method, server.url + path, headers=sent, **PLAIN)


def get(url, headers=None):
    return httpx.get(url, headers=headers, **PLAIN)


def opened(server, preview, lives=60.0):
    """The cookie that a link's token is turned into."""
    value = token_of(server, preview, lives)["spec"]["token"]
    answer = browse(server, preview, f"/?bl_preview_token={value}", **BROWSER)
    return answer.headers["set-cookie"].partition(";")[0]


def opened_for_a_moment(server, preview):
    """A cookie that has opened the preview, and expires soon: later on a slower machine."""
    for lives in (1.5, 6.0, 24.0):
        cookie = opened(server, preview, lives)
        if browse(server, preview, Cookie=cookie).status_code == 200:
            return cookie
    raise AssertionError("expired before it was used")


def test_the_sdk_makes_a_private_preview_and_a_token_for_it(sdk, shown):
    sandbox = sdk.get(shown)

    made = sandbox.previews.create_if_not_exists({"port": 3000})
    again = sandbox.previews.create_if_not_exists({"port": 3000})
    token = made.tokens.create_if_expired()

    assert made.name == again.name == "preview-3000"
    assert (made.url, made.spec.public) == (again.url, False)
    assert made.metadata.resource_name == shown
    assert get(made.url).status_code == 401
    allowed = get(made.url, headers={"X-Blaxel-Preview-Token": token.value})
    assert allowed.json()["path"] == "/"
    assert made.tokens.create_if_expired().value == token.value
    sandbox.previews.delete(made.name)


def test_the_sdk_sees_404_409_and_bare_arrays(sdk, shown):
    from blaxel.core.client.errors import UnexpectedStatus

    previews = sdk.get(shown).previews
    name = new_name()
    made = previews.create({"port": 3000, "name": name})
    token = made.tokens.create(datetime.now(UTC) + timedelta(hours=1))

    with pytest.raises(UnexpectedStatus) as taken:
        previews.create({"port": 3001, "name": name})
    with pytest.raises(UnexpectedStatus) as missing:
        previews.get("nothing-of-that-name")

    assert (taken.value.status_code, missing.value.status_code) == (409, 404)
    assert name in [each.name for each in previews.list()]
    assert [each.value for each in made.tokens.list()] == [token.value]
    assert abs(token.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
    made.tokens.delete(token.name)
    previews.delete(name)
    assert previews.create({"port": 3001, "name": name}).spec.port == 3001


def test_a_prefix_is_part_of_the_address(preview):
    assert "/my-app-" in preview(prefixUrl="my-app")["spec"]["url"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.port"),
        ({"port": "3000"}, "spec.port"),
        ({"port": 80}, "spec.port"),
        ({"port": 443, "public": True}, "spec.public"),
        ({"port": 3000, "public": "yes"}, "spec.public"),
        ({"port": 3000, "prefixUrl": "A b"}, "spec.prefixUrl"),
        ({"port": 3000, "ttl": "long"}, "spec.ttl"),
        ({"port": 3000, "responseHeaders": {"a b": "c"}}, "spec.responseHeaders"),
        ({"port": 3000, "responseHeaders": {"a": "c\r\nd: e"}}, "spec.responseHeaders"),
    ],
)
def test_a_wrong_preview_is_refused_by_the_name_of_its_field(server, shown, spec, field):
    refused = server.http.post(f"/v0/sandboxes/{shown}/previews", json={"spec": spec})

    assert (refused.status_code, refused.json()["code"]) == (400, 400)
    assert field in refused.json()["message"]


def test_a_public_preview_is_open_to_everybody_by_both_its_addresses(server, preview):
    made = preview(public=True)

    by_path = get(made["spec"]["url"] + "/a//b?x=1")
    by_host = browse(server, made, "/a//b?x=1")

    assert by_path.json()["path"] == by_host.json()["path"] == "/a//b?x=1"
    assert ["host", host(server, made)] in by_host.json()["headers"]


def test_a_program_shows_its_token_by_header_or_query(server, preview):
    made = preview()
    token = token_of(server, made)["spec"]["token"]

    by_query = get(f"{made['spec']['url']}/x?a=1&bl_preview_token={token}&b=2")
    by_header = get(made["spec"]["url"], headers={"X-Blaxel-Preview-Token": token})

    assert by_query.json()["path"] == "/x?a=1&b=2"
    assert token not in by_query.text + by_header.text


def test_a_browser_is_sent_from_the_path_to_the_previews_own_host(server, preview):
    made = preview()

    answer = get(made["spec"]["url"] + "/deep?bl_preview_token=t&a=1", headers=BROWSER)

    assert answer.status_code == 307
    assert answer.headers["location"] == (
        f"http://{host(server, made)}/deep?bl_preview_token=t&a=1"
    )


def test_a_link_is_turned_into_a_cookie_and_a_clean_address(server, preview):
    made = preview()
    token = token_of(server, made, lives=50)["spec"]["token"]

    answer = browse(server, made, f"//deep/a?x=1&bl_preview_token={token}", **BROWSER)

    assert answer.status_code in (302, 303)
    assert answer.headers["location"] == f"http://{host(server, made)}//deep/a?x=1"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-bl_preview_")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(attributes)
    max_age = int(re.search(r"Max-Age=(\d+)", answer.headers["set-cookie"])[1])
    # Less what a machine takes that has other work.
    assert 20 < max_age <= 50


def test_the_cookie_opens_the_preview_and_never_reaches_the_app(server, preview):
    made = preview()
    cookie = opened(server, made)

    page = browse(server, made, "/page", Cookie=f"a=1; {cookie}; b=2", **BROWSER)
    asset = browse(server, made, "/a.js", Cookie=cookie, Sec_Fetch_Site="same-origin")

    assert page.status_code == asset.status_code == 200
    assert ["cookie", "a=1; b=2"] in page.json()["headers"]
    assert "__Host-bl_preview" not in page.text + asset.text


def test_the_cookie_ends_with_its_token_and_at_once_when_that_is_revoked(server, preview):
    made = preview()
    revoked = opened(server, made)
    short = opened_for_a_moment(server, made)

    for_revoked = server.http.get(f"{api(made)}/tokens").json()[0]["metadata"]["name"]
    server.http.delete(f"{api(made)}/tokens/{for_revoked}").raise_for_status()

    assert browse(server, made, Cookie=revoked).status_code == 401
    wait_until(lambda: browse(server, made, Cookie=short).status_code == 401)


def test_a_token_opens_no_other_preview(server, preview):
    mine, theirs = preview(), preview()
    value = opened(server, mine).partition("=")[2]
    theirs_id = theirs["spec"]["url"].rpartition("/")[2]

    answers = [
        browse(server, theirs, Cookie=f"__Host-bl_preview_{theirs_id}={value}"),
        browse(server, theirs, Cookie=opened(server, mine)),
        browse(server, theirs, X_Blaxel_Preview_Token=value),
        browse(server, theirs, f"/?bl_preview_token={value}"),
    ]

    assert {answer.status_code for answer in answers} == {401}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_another_page_can_not_use_a_persons_cookie(server, preview, headers):
    made = preview()
    cookie = opened(server, made)

    answer = browse(server, made, Cookie=cookie, **headers)
    posted = browse(server, made, method="POST", Cookie=cookie, **(headers | BROWSER))

    assert answer.status_code == posted.status_code == 401


def test_a_person_is_told_in_words_and_a_program_in_json(server, preview):
    made = preview()

    page = browse(server, made, **BROWSER)
    data = browse(server, made, Accept="*/*")

    assert page.status_code == data.status_code == 401
    assert "Open it again from where you got it." in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert data.json()["error"]["code"] == "AUTHENTICATION_REQUIRED"


def test_a_silent_port_is_a_502_that_says_what_it_means(server, preview):
    made = preview(port=3999, public=True)

    page = browse(server, made, **BROWSER)
    data = get(made["spec"]["url"])

    assert page.status_code == data.status_code == 502
    assert "Nothing listens on port 3999" in page.text
    assert "0.0.0.0" in page.text
    assert "Nothing listens on port 3999" in data.json()["error"]["message"]


def test_headers_of_a_preview_are_set_on_the_way_in_and_out(server, preview):
    made = preview(
        public=True,
        requestHeaders={"Authorization": "Bearer app"},
        responseHeaders={"X-Frame-Options": "DENY", "Access-Control-Allow-Origin": "*"},
    )

    answer = httpx.options(made["spec"]["url"], **PLAIN)

    assert ["authorization", "Bearer app"] in answer.json()["headers"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_apps_cookie_is_confined_to_its_own_host(server, preview):
    answer = browse(server, preview(public=True))

    assert answer.headers["set-cookie"] == "app=1; Path=/"


def test_a_preview_ends_by_its_ttl_and_by_deletion(server, preview):
    short, deleted = preview(public=True, ttl="1s"), preview(public=True)

    server.http.delete(api(deleted)).raise_for_status()

    assert browse(server, deleted).status_code == 404
    assert server.http.get(api(deleted)).status_code == 404
    wait_until(lambda: browse(server, short).status_code == 404)
    assert "no such preview" in browse(server, short, **BROWSER).text


def test_an_update_changes_what_a_preview_shows(server, preview):
    made = preview()
    made["spec"]["public"] = True

    changed = server.http.put(api(made), json=made).json()

    assert changed["spec"]["url"] == made["spec"]["url"]
    assert browse(server, made).status_code == 200


def test_previews_end_with_their_sandbox(server):
    name = server.create()
    body = {"metadata": {"name": "web"}, "spec": {"port": 3000, "public": True}}
    made = server.http.post(f"/v0/sandboxes/{name}/previews", json=body).json()

    server.delete(name)
    server.create(name)

    assert server.http.get(f"/v0/sandboxes/{name}/previews").json() == []
    assert get(made["spec"]["url"]).status_code == 404


def test_a_websocket_passes_a_private_preview_from_its_own_origin_only(server, preview):
    made = preview(port=3002)
    cookie = opened(server, made)
    own = f"http://{host(server, made)}"

    def dial(origin):
        headers = {"Cookie": f"{cookie}; app=1"}
        url = f"ws://{host(server, made)}/hmr"
        address = ("127.0.0.1", server.port)
        import socket

        return connect(
            url,
            sock=socket.create_connection(address),
            additional_headers=headers,
            origin=origin,
            subprotocols=["chat"],
        )

    with dial(own) as websocket:
        greeting = websocket.recv()
    with pytest.raises(InvalidStatus) as refused:
        dial("http://other.localhost")

    assert greeting == "app=1"
    assert refused.value.response.status_code == 401


def test_no_cookie_passes_by_path_where_cookies_are_other_servers_too(server, preview):
    sets = {"Set-Cookie": "sessionid=planted; Path=/; Domain=localhost"}
    sets |= {"Clear-Site-Data": '"cookies"'}
    made = preview(public=True, responseHeaders=sets)
    sent = {"Cookie": "sessionid=secret", "User-Agent": "program/1"}

    by_path = get(made["spec"]["url"], headers=sent)
    by_host = browse(server, made, **sent)
    preflight = {"Origin": "http://x", "Access-Control-Request-Method": "GET"}
    private = preview(public=False, responseHeaders=sets)
    asked, of_private = (
        httpx.options(each["spec"]["url"], headers=sent | preflight, trust_env=False)
        for each in (made, private)
    )

    assert "sessionid" not in by_path.text
    assert "sessionid=secret" in by_host.text
    told = {*by_path.headers, *asked.headers, *of_private.headers}
    assert not {"set-cookie", "clear-site-data"} & told
    assert by_host.headers["set-cookie"] == "sessionid=planted; Path=/"


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (X11)"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Accept": "text/html,*/*"},
    ],
)
def test_what_looks_like_a_browser_is_sent_to_the_previews_own_host(server, preview, headers):
    made = preview(public=True)

    answer = get(f"{made['spec']['url']}/a?x=1", headers=headers)

    assert answer.status_code == 307
    assert answer.headers["location"] == f"http://{host(server, made)}/a?x=1"


def test_only_manta_and_itself_may_frame_a_private_preview(server, preview):
    own = "default-src 'self'"
    private, public = (
        preview(public=public, responseHeaders={"Content-Security-Policy": own})
        for public in (False, True)
    )

    policies = browse(server, private, Cookie=opened(server, private)).headers.get_list(
        "content-security-policy"
    )

    ancestors = "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
    assert policies == [own, ancestors]
    assert browse(server, public).headers.get_list("content-security-policy") == [own]


def test_a_preview_of_a_sleeping_sandbox_wakes_it(server, preview, shown):
    made = preview(public=True)
    wait_until(lambda: server.sleeps(shown))

    answer = get(made["spec"]["url"])

    assert answer.status_code == 200


def test_a_session_of_the_sdk_reaches_the_sandbox_without_a_key(sdk, shown):
    session = sdk.get(shown).sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    remote = sdk.from_session(session)
    remote.fs.write("/tmp/from-session", "hi")

    assert sdk.get(shown).fs.read("/tmp/from-session") == "hi"
    assert KEY not in json.dumps(session.url)


def test_a_preflight_of_a_private_preview_is_answered_with_its_headers(server, preview):
    made = preview(responseHeaders={"Access-Control-Allow-Origin": "http://x.example"})
    headers = {"Origin": "http://x.example", "Access-Control-Request-Method": "GET"}

    answer = httpx.options(made["spec"]["url"], **PLAIN, headers=headers)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://x.example"


@pytest.mark.parametrize("prefix", [{}, {"prefixUrl": "shop"}])
def test_a_preview_that_is_made_again_has_the_same_address(server, preview, prefix):
    first = preview(**prefix)
    token = token_of(server, first)["spec"]["token"]
    server.http.delete(api(first)).raise_for_status()

    body = {"metadata": {"name": first["metadata"]["name"]}, "spec": {"port": 3000, **prefix}}
    previews = f"/v0/sandboxes/{first['metadata']['resourceName']}/previews"
    again = server.http.post(previews, json=body).json()

    assert again["spec"]["url"] == first["spec"]["url"]
    refused = get(again["spec"]["url"], {"X-Blaxel-Preview-Token": token})
    assert refused.status_code == 401
    fresh = token_of(server, again)["spec"]["token"]
    assert get(again["spec"]["url"], {"X-Blaxel-Preview-Token": fresh}).status_code == 200


def test_previews_of_other_names_and_sandboxes_have_other_addresses(server, preview):
    other = server.create()
    first, second = preview(), preview()
    body = {"metadata": {"name": first["metadata"]["name"]}, "spec": {"port": 3000}}
    elsewhere = server.http.post(f"/v0/sandboxes/{other}/previews", json=body).json()
    server.http.delete(f"/v0/sandboxes/{other}")

    assert len({each["spec"]["url"] for each in (first, second, elsewhere)}) == 3
