"""Every code that an error of Manta carries: what it means, and what to do about it.

The one source of /help/errors/ and of docs/errors.md, which
`python -m manta.core.error_codes` writes. A code never changes its meaning: programs compare it.
"""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


@dataclass(frozen=True)
class ErrorCode:
    code: str
    title: str
    cause: str
    action: str


# About a sandbox
_SANDBOX = (
    ErrorCode(
        "expired",
        "The sandbox has expired",
        "Nobody used it until its expiry date, so the provider deleted it, with its files.",
        "Press Recreate in the panel. The new sandbox starts with the starter project.",
    ),
    ErrorCode(
        "deleted",
        "The sandbox was deleted at the provider",
        "It was removed at the provider before its expiry date, not through Manta: by an "
        "administrator of the workspace, or by a limit of the provider's plan.",
        "Press Recreate in the panel, and ask your administrator who deleted it.",
    ),
    ErrorCode(
        "no_terminal",
        "There is no such terminal",
        "It was closed, here or in another browser, or it is not of your sandbox.",
        "Open another one.",
    ),
    ErrorCode(
        "terminal_in_use",
        "Something still runs in the terminal",
        "Closing it would end the program that runs in it.",
        "End the program first, or close the terminal all the same.",
    ),
    ErrorCode(
        "too_many_terminals",
        "There are too many terminals",
        "As many as one person may have are open.",
        "Close one that you no longer need.",
    ),
    ErrorCode(
        "no_sandbox",
        "There is no sandbox",
        "You have never asked for one, or you have deleted it.",
        "Press Initialize in the panel, or POST /api/sandbox/init.",
    ),
    ErrorCode(
        "sandbox_gone",
        "The sandbox is no longer there",
        "What was asked for needs a sandbox, and yours has expired or was deleted.",
        "Press Recreate in the panel, or POST /api/sandbox/init.",
    ),
    ErrorCode(
        "sandbox_busy",
        "The sandbox is being made",
        "What was asked for needs a sandbox that is ready, and yours is not yet.",
        "Wait for it to be ready, which takes seconds, and try again.",
    ),
    ErrorCode(
        "being_deleted",
        "The sandbox is being deleted",
        "It goes, with everything in it, and nothing else can be done with it meanwhile.",
        "Wait for it to be gone, which takes seconds; then have a new one made.",
    ),
    ErrorCode(
        "mail_failed",
        "The reminder could not be sent by e-mail",
        "The mail server refused it, or broke off. It is not sent again, so that none comes twice; "
        "every page of Manta shows it all the same.",
        "Ask your administrator to check EMAIL_HOST and what belongs to it.",
    ),
    ErrorCode(
        "port_closed",
        "Nothing answers on the port",
        "No server listens on it inside the sandbox.",
        "Start a server on that port, on 0.0.0.0, and open it again.",
    ),
    ErrorCode(
        "port_loopback_only",
        "The port is open inside the sandbox only",
        "A server listens on it, but on 127.0.0.1 or ::1, which nothing outside can reach.",
        "Start the server on 0.0.0.0: most take --host 0.0.0.0. The ports pane names the option.",
    ),
    ErrorCode(
        "port_reserved",
        "The port is reserved",
        "Ports 80, 443 and 8080 are the sandbox's own. They have no preview and are never public.",
        "Have your server listen on another port, such as 3000, 5173 or 8000.",
    ),
    ErrorCode(
        "wrong_owner",
        "The provider's sandbox of that name is not yours",
        "The workspace has a sandbox with the name of yours and another owner's label. "
        "Manta has left it alone.",
        "Ask your administrator to remove or rename it at the provider; then press Retry.",
    ),
    ErrorCode(
        "unknown_image",
        "The provider has no such image",
        "SANDBOX_IMAGE names an image that the provider doesn't know.",
        "Ask your administrator to set SANDBOX_IMAGE to one that `manage.py images` lists.",
    ),
    ErrorCode(
        "bad_credentials",
        "The provider does not accept Manta's key",
        "BLAXEL_WORKSPACE_ID or BLAXEL_API_KEY is wrong, or the key was revoked.",
        "Ask your administrator to check both variables.",
    ),
    ErrorCode(
        "quota_exceeded",
        "The provider's quota is used up",
        "The workspace's plan does not allow another sandbox, or so much memory.",
        "Ask your administrator to raise the plan, or to delete sandboxes that nobody needs.",
    ),
    ErrorCode(
        "quota_sandboxes",
        "No more sandboxes are allowed",
        "An administrator of Manta limits how many sandboxes you, or all users together, may have.",
        "Wait until the time that the message names, or ask your administrator; then press Retry.",
    ),
    ErrorCode(
        "quota_memory",
        "No more memory is allowed",
        "An administrator of Manta limits the memory of your sandboxes, or of everybody's.",
        "Wait until the time that the message names, or ask your administrator; then press Retry.",
    ),
    ErrorCode(
        "quota_creations",
        "Too many sandboxes were made in the last hour",
        "An administrator of Manta limits how many may be made in an hour: a recreated one and a "
        "reset count, a retry doesn't.",
        "Try again at the time that the message names.",
    ),
    ErrorCode(
        "provider_rejected",
        "The provider refused",
        "The provider answered, and said no for a reason that Manta does not know.",
        "Send the request id to your administrator: the log has the provider's answer.",
    ),
    ErrorCode(
        "provider_unavailable",
        "The provider is not answering",
        "The provider is down, out of reach, overloaded, or its answer made no sense.",
        "Nothing: Manta tries again by itself. Sandboxes that run go on running.",
    ),
)

# About a file
_FILE = (
    ErrorCode(
        "file_not_found",
        "There is no such file or folder",
        "It was moved or deleted, or the path is mistyped; or a folder on the way is missing.",
        "Look into its folder, and use the path that is shown there.",
    ),
    ErrorCode(
        "folder_not_found",
        "The folder is not there",
        "A file or folder was to be moved into it, or restored to it, and it is gone.",
        "Make the folder first, or use another path. Restoring can make it again: `makeFolders`.",
    ),
    ErrorCode(
        "file_exists",
        "There is something of that name already",
        "A file or folder is at the path, and would have been overwritten.",
        "Take another name, or say that it is to be overwritten. A folder never is.",
    ),
    ErrorCode(
        "changed_on_disk",
        "The file has changed meanwhile",
        "Somebody or something wrote or deleted the file after it was read.",
        "Read it again, and bring both changes together; or save with the new version.",
    ),
    ErrorCode(
        "not_a_file",
        "That is no file",
        "The path leads to a folder, a device or a pipe, and a file is needed.",
        "Use the path of a file.",
    ),
    ErrorCode(
        "not_a_folder",
        "That is no folder",
        "The path, or a part of it, leads to a file where a folder is needed.",
        "Use the path of a folder.",
    ),
    ErrorCode(
        "bad_path",
        "The path can't be used for this",
        "A name in it is too long, its links go in a circle, or it is a folder that the sandbox "
        "itself needs.",
        "Use another path.",
    ),
    ErrorCode(
        "file_denied",
        "The sandbox does not allow it",
        "Permissions inside the sandbox keep its own user from reading or changing this path, it "
        "is on a file system that can't be written to, or the system refuses it for the reason "
        "that the error names.",
        "Change its permissions in a terminal, or use a path below /blaxel.",
    ),
    ErrorCode(
        "file_too_large",
        "The file is too large for this",
        "A text is read and saved whole up to 5 MB.",
        "Upload or download it: that takes files of any size.",
    ),
    ErrorCode(
        "disk_full",
        "The sandbox's disk is full",
        "There is no room for what was to be written.",
        "Delete something for good, in the file tree or a terminal, and try again.",
    ),
    ErrorCode(
        "too_many_transfers",
        "Too many transfers at once",
        "A person's uploads, downloads and archives share a few places, and all are taken.",
        "Wait for one of them to end, and try again.",
    ),
)

# About a process
_PROCESS = (
    ErrorCode(
        "process_not_found",
        "There is no such process",
        "It has ended and was forgotten, or its name is mistyped.",
        "Look at the list of processes, and use the name that is shown there.",
    ),
    ErrorCode(
        "process_refused",
        "The process can't be started so",
        "Its folder is not there, its name can't be used, or the command can't be run.",
        "The message says which. Change that, and start it again.",
    ),
    ErrorCode(
        "process_exists",
        "A process of that name runs",
        "Names tell the processes of a sandbox apart while they run.",
        "Take another name, or stop the one that runs.",
    ),
)

# About a request
_REQUEST = (
    ErrorCode(
        "invalid",
        "A value is not valid",
        "A field of the request is missing, has the wrong type, or a value that can't be.",
        "Correct the field that the error names.",
    ),
    ErrorCode(
        "parse_error",
        "The request can't be read",
        "The body is not valid JSON.",
        "Send JSON, with Content-Type: application/json.",
    ),
    ErrorCode(
        "unsupported_media_type",
        "The body is of the wrong kind",
        "The API reads JSON only.",
        "Send JSON, with Content-Type: application/json.",
    ),
    ErrorCode(
        "not_acceptable",
        "The answer can't be of that kind",
        "The request's Accept header allows nothing that this address can answer.",
        "Accept application/json.",
    ),
    ErrorCode(
        "method_not_allowed",
        "Not with this method",
        "The address exists, and does not answer this HTTP method.",
        "Use a method that the answer's Allow header names.",
    ),
    ErrorCode(
        "not_found",
        "There is nothing here",
        "The address is mistyped, what was there is gone, or it is not yours.",
        "Go back to the workspace, or check the address.",
    ),
    ErrorCode(
        "permission_denied",
        "Not allowed",
        "Your account may not do this, or the agent's permissions do not allow it: they lack a "
        "capability, are limited to a folder, or have expired.",
        "Sign in with an account that may, or ask your administrator. For an agent, change its "
        "permissions: under Account, beside its token or its name.",
    ),
    ErrorCode(
        "insufficient_scope",
        "The token may not do this",
        "The personal token is valid, and was made without the scope that the error names.",
        "Make a token with that scope on the Account page, under Personal tokens.",
    ),
    ErrorCode(
        "csrf_failed",
        "The form was too old",
        "The form came without the proof that it is from this site: the page was open for a long "
        "time, somebody signed in or out meanwhile, or cookies are blocked.",
        "Reload the page, and send the form again.",
    ),
    ErrorCode(
        "throttled",
        "Too often",
        "To keep accounts safe, this can be tried only a few times in a row.",
        "Wait a minute, and try again.",
    ),
    ErrorCode(
        "too_large",
        "The request is too large",
        "Its body is larger than Manta takes.",
        "Send less at a time.",
    ),
    ErrorCode(
        "busy",
        "Manta is busy",
        "Requests and answers that wait take all the room that there is for large ones, or as many "
        "streams are open as may be.",
        "Wait some seconds, and try again.",
    ),
    ErrorCode(
        "database_away",
        "The database is not answering",
        "Manta's own database can't be reached at the moment.",
        "Wait some seconds, and try again. When it lasts, tell your administrator.",
    ),
    ErrorCode(
        "restarting",
        "Manta is restarting",
        "The process that was asked is about to end, or has just begun.",
        "Wait some seconds, and try again.",
    ),
    ErrorCode(
        "too_slow",
        "The request took too long",
        "Its body did not arrive in time.",
        "Check your connection, and try again.",
    ),
    ErrorCode(
        "internal",
        "Something went wrong inside Manta",
        "An error of Manta's own. It has been recorded; your sandbox and its files are not "
        "affected.",
        "Try again. If it stays, send the request id to your administrator.",
    ),
)

GROUPS = {
    "About a sandbox": _SANDBOX,
    "About a file": _FILE,
    "About a process": _PROCESS,
    "About a request": _REQUEST,
}


def markdown() -> str:
    lines = [
        "# Errors",
        "",
        "Every error carries one of these codes: in the page's details, and as `code` in the API's",
        '`{"error": "…", "code": "…", "help": "…"}`. A code keeps its meaning; texts may change.',
        "Without a session or a valid token the API answers exactly "
        '`401 {"error": "Unauthorized"}`.',
        "",
        "Written by `python -m manta.core.error_codes`; the product shows the same at "
        "`/help/errors/`.",
    ]
    for heading, codes in GROUPS.items():
        lines += ["", f"## {heading}"]
        for item in codes:
            lines += ["", f"### `{item.code}`", "", f"**{item.title}.** {item.cause}", ""]
            lines += [f"What to do: {item.action}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")
