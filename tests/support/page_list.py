"""The pages that are checked in a browser: by axe-core, on a phone and at twice the size, and that
`make screenshots` pictures under these captions.

tests/test_routes.py finds a page that is not among them.
"""

FOR_STRANGERS = {
    "/": "What Manta is, to whoever isn't signed in.",
    "/accounts/login/": "Sign in.",
    "/accounts/signup/": "Make an account.",
    "/accounts/password/reset/": "Forgot the password.",
    "/accounts/password/reset/done/": "The message with the link is on its way.",
    "/accounts/password/reset/key/0-x/": "A link that is used or too old.",
    "/accounts/password/reset/key/done/": "The password is changed.",
    "/accounts/confirm-email/": "The address has to be confirmed first.",
    "/accounts/confirm-email/x/": "A link to confirm an address that is used or too old.",
    "/accounts/inactive/": "The account is closed.",
    "/accounts/3rdparty/login/cancelled/": "Turned back at GitHub or Google.",
    "/api/docs": "What the API takes and answers, operation by operation.",
    "/help/errors/": "What each error's code means, and what to do.",
    "/no/such/page": "A page that doesn't exist.",
}
FOR_PEOPLE = {
    "/account/": "All of an account: address, password, second factors, sessions, agents, data.",
    "/account/agents/": "The agents that were let in.",
    "/account/delete/": "Delete the account, with the sandbox.",
    "/account/tokens/": "The personal tokens for programs.",
    "/account/tokens/new/": "A new token: what it may do, and for how long.",
    "/accounts/email/": "Change the address.",
    "/accounts/logout/": "Sign out.",
    "/accounts/password/change/": "Change the password.",
    "/accounts/reauthenticate/": "The password again, before something that matters.",
    "/oauth/authorize": "An agent that asks in a way that isn't allowed.",
    "/sandbox/activity/": "What was done with the sandbox, and by whom.",
    "/sandbox/agents/": "Every call of the agents, to be searched and exported.",
    "/sandbox/check/": "Manta tries out the sandbox, step by step.",
    "/sandbox/connect/": "What each agent needs to be connected.",
    "/sandbox/delete/": "Delete the sandbox.",
    "/sandbox/panel/": "The sandbox's panel as a page, without JavaScript.",
    "/sandbox/reset/": "Set the sandbox back to its starter.",
    "/workspace/": "The workspace of a sandbox that sleeps.",
    "/workspace/inside/ports/": "The ports as a page, without JavaScript.",
    "/workspace/inside/ports/3000/public/": "Publish a port, without JavaScript.",
    "/workspace/inside/processes/start/": "Start a process, without JavaScript.",
}
# Of somebody whose address is confirmed, where GitHub and Google are set up.
OF_WAYS_IN = {
    "/account/": FOR_PEOPLE["/account/"],
    "/account/data/": "All that Manta keeps of a person, to be taken along.",
    "/account/sessions/": "Where one is signed in.",
    "/accounts/2fa/totp/activate/": "Set up an authenticator app.",
    "/accounts/2fa/webauthn/": "The passkeys.",
    "/accounts/2fa/webauthn/add/": "Add a passkey.",
    "/accounts/3rdparty/": "Sign in with GitHub or Google from now on.",
}
WAYS_IN = {
    "/accounts/github/login/": "On the way to GitHub.",
    "/accounts/google/login/": "On the way to Google.",
    "/accounts/login/": FOR_STRANGERS["/accounts/login/"],
    "/accounts/login/code/": "Sign in with a code by e-mail.",
    "/accounts/signup/": FOR_STRANGERS["/accounts/signup/"],
}
# Django's own, with what Manta puts on them.
OF_ADMINS = {
    "/admin/": "What an admin looks after.",
    "/admin/accounts/user/": "The people.",
    "/admin/accounts/user/1/change/": "One of them.",
    "/admin/operations/failure/": "Bugs that were met, and how often.",
    "/admin/sandboxes/breaker/": "Whether the provider is called at all.",
    "/admin/sandboxes/quota/add/": "A limit, for everybody or for one.",
    "/admin/sandboxes/sandbox/": "Every sandbox: how it is, whose it is, and until when.",
    "/admin/sandboxes/sandboxevent/": "What was done, and by whom.",
    "/admin/sandboxes/toolcall/": "The calls of everybody's agents.",
}
# The workspace once more: what a page without JavaScript is sent to.
THE_SAME = ["/sandbox/stage/"]
ALL = {*FOR_STRANGERS, *FOR_PEOPLE, *OF_WAYS_IN, *WAYS_IN, *THE_SAME}
