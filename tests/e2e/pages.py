"""The pages that are looked at in a browser: by axe-core, on a phone, at twice the size.

tests/test_routes.py finds a page that is not among them.
"""

FOR_STRANGERS = [
    "/",
    "/accounts/3rdparty/login/cancelled/",
    "/accounts/confirm-email/",
    "/accounts/inactive/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/0-x/",
    "/accounts/password/reset/key/done/",
    "/accounts/signup/",
    "/api/docs",
    "/help/errors/",
    "/no/such/page",
]
FOR_PEOPLE = [
    "/account/",
    "/account/agents/",
    "/account/delete/",
    "/account/tokens/",
    "/account/tokens/new/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/oauth/authorize",
    "/sandbox/activity/",
    "/sandbox/agents/",
    "/sandbox/check/",
    "/sandbox/connect/",
    "/sandbox/delete/",
    "/sandbox/panel/",
    "/sandbox/reset/",
    "/workspace/",
    "/workspace/inside/ports/",
    "/workspace/inside/ports/3000/public/",
    "/workspace/inside/processes/start/",
]
# Of somebody whose address is confirmed, where GitHub and Google are set up.
OF_WAYS_IN = [
    "/account/",
    "/account/data/",
    "/account/sessions/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/3rdparty/",
]
WAYS_IN = [
    "/accounts/github/login/",
    "/accounts/google/login/",
    "/accounts/login/",
    "/accounts/login/code/",
    "/accounts/signup/",
]
# The workspace once more: what a page without JavaScript is sent to.
THE_SAME = ["/sandbox/stage/"]
ALL = {*FOR_STRANGERS, *FOR_PEOPLE, *OF_WAYS_IN, *WAYS_IN, *THE_SAME}
