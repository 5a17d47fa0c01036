"""Codes of errors about a sandbox, its ports and its terminals."""

from manta.core.error_codes.code import ErrorCode

CODES = (
    ErrorCode(
        "expired",
        "The sandbox has expired",
        "It was not used by its expiry date, so it was deleted with all its files.",
        "Press Recreate in the panel. The new sandbox contains the starter project.",
    ),
    ErrorCode(
        "deleted",
        "The sandbox was deleted at the provider",
        "It was removed at the provider before its expiry date, not through Manta: by an "
        "administrator of the workspace, or because of a limit of the provider's plan.",
        "Press Recreate in the panel, and ask your administrator who deleted it.",
    ),
    ErrorCode(
        "no_terminal",
        "Terminal not found",
        "It was closed, here or in another browser, or it belongs to another sandbox.",
        "Open a new terminal.",
    ),
    ErrorCode(
        "terminal_in_use",
        "A program is still running in the terminal",
        "Closing the terminal would stop the program.",
        "Stop the program first, or close the terminal anyway.",
    ),
    ErrorCode(
        "too_many_terminals",
        "Too many terminals",
        "You have as many terminals open as one user can have.",
        "Close one that you no longer need.",
    ),
    ErrorCode(
        "no_sandbox",
        "You have no sandbox",
        "You have not created one yet, or you have deleted it.",
        "Press Initialize in the panel, or send POST /api/sandbox/init.",
    ),
    ErrorCode(
        "sandbox_gone",
        "The sandbox no longer exists",
        "This needs a sandbox, and yours has expired or was deleted.",
        "Press Recreate in the panel, or send POST /api/sandbox/init.",
    ),
    ErrorCode(
        "sandbox_busy",
        "The sandbox is not ready yet",
        "This needs a sandbox that is ready, and yours is still being created.",
        "Wait a few seconds until it is ready, and try again.",
    ),
    ErrorCode(
        "being_deleted",
        "The sandbox is being deleted",
        "The sandbox and its files are being deleted. Nothing else can be done with it meanwhile.",
        "Wait a few seconds until it is deleted, then create a new one.",
    ),
    ErrorCode(
        "mail_failed",
        "The reminder could not be sent by e-mail",
        "The mail server refused the message, or the connection broke. Manta does not send it "
        "again, because it could arrive twice; every page of Manta still shows the reminder.",
        "Ask your administrator to check EMAIL_HOST and the related settings.",
    ),
    ErrorCode(
        "port_closed",
        "Nothing is listening on the port",
        "No server inside the sandbox listens on this port.",
        "Start a server on the port, on 0.0.0.0, and open it again.",
    ),
    ErrorCode(
        "port_loopback_only",
        "The port can only be reached inside the sandbox",
        "The server listens on 127.0.0.1 or ::1, which nothing outside the sandbox can reach.",
        "Start the server on 0.0.0.0. Most servers have the option --host 0.0.0.0; the Ports "
        "pane names it where it knows the server.",
    ),
    ErrorCode(
        "port_reserved",
        "The port is reserved",
        "The sandbox itself uses the ports 80, 443 and 8080. They have no preview and can't "
        "be made public.",
        "Run your server on another port, such as 3000, 5173 or 8000.",
    ),
    ErrorCode(
        "wrong_owner",
        "The provider's sandbox of that name is not yours",
        "The workspace already has a sandbox with this name that belongs to another owner. "
        "Manta has not changed it.",
        "Ask your administrator to remove or rename it at the provider, then press Retry.",
    ),
    ErrorCode(
        "unknown_image",
        "The provider does not have this image",
        "SANDBOX_IMAGE names an image that the provider does not have.",
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
        "The plan of the workspace does not allow another sandbox, or not one with that much "
        "memory.",
        "Ask your administrator to upgrade the plan, or to delete sandboxes that are no "
        "longer needed.",
    ),
    ErrorCode(
        "quota_sandboxes",
        "The limit on sandboxes is reached",
        "An administrator of Manta limits the number of sandboxes, for you or for all users "
        "together.",
        "Wait until the time that the message gives, or ask your administrator; then press Retry.",
    ),
    ErrorCode(
        "quota_memory",
        "The limit on memory is reached",
        "An administrator of Manta limits the memory of sandboxes, for you or for all users "
        "together.",
        "Wait until the time that the message gives, or ask your administrator; then press Retry.",
    ),
    ErrorCode(
        "quota_creations",
        "Too many sandboxes were created in the last hour",
        "An administrator of Manta limits how many can be created in an hour. Recreating and "
        "resetting a sandbox count; retrying does not.",
        "Try again at the time that the message gives.",
    ),
    ErrorCode(
        "provider_rejected",
        "The provider refused the request",
        "The provider refused the request for a reason that Manta does not know.",
        "Send the request id to your administrator: the log contains the provider's answer.",
    ),
    ErrorCode(
        "provider_unavailable",
        "The provider is not responding",
        "The provider is down, overloaded or can't be reached, or it returned an unexpected "
        "response.",
        "Nothing: Manta retries automatically. Running sandboxes keep running.",
    ),
)
