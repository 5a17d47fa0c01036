"""Codes of errors about a request to Manta."""

from manta.core.error_codes.code import ErrorCode

CODES = (
    ErrorCode(
        "invalid",
        "A value is not valid",
        "A field of the request is missing, or has a wrong type or value.",
        "Correct the field that the error names.",
    ),
    ErrorCode(
        "parse_error",
        "The request could not be read",
        "The body is not valid JSON.",
        "Send JSON, with Content-Type: application/json.",
    ),
    ErrorCode(
        "unsupported_media_type",
        "Unsupported media type",
        "The API accepts JSON only.",
        "Send JSON, with Content-Type: application/json.",
    ),
    ErrorCode(
        "not_acceptable",
        "Not acceptable",
        "The API can't answer in any of the formats that the request's Accept header allows.",
        "Accept application/json.",
    ),
    ErrorCode(
        "method_not_allowed",
        "Method not allowed",
        "The address exists, but does not support this HTTP method.",
        "Use a method that the Allow header of the answer lists.",
    ),
    ErrorCode(
        "not_found",
        "Not found",
        "The address is misspelled, the page was removed, or it does not belong to you.",
        "Go back to the workspace, or check the address.",
    ),
    ErrorCode(
        "permission_denied",
        "Not allowed",
        "Your account may not do this, or the agent's permissions do not allow it: they lack "
        "a capability, are limited to a folder, or have expired.",
        "Sign in with an account that may, or ask your administrator. For an agent, change "
        "its permissions: under Account, beside its token or its name.",
    ),
    ErrorCode(
        "insufficient_scope",
        "The token may not do this",
        "The personal token is valid, but does not have the scope that the error names.",
        "Create a token with that scope on the Account page, under Personal tokens.",
    ),
    ErrorCode(
        "csrf_failed",
        "This page has expired",
        "The form could not be verified: the page was open for a long time, somebody signed "
        "in or out meanwhile, or cookies are blocked.",
        "Reload the page, and send the form again.",
    ),
    ErrorCode(
        "throttled",
        "Too many attempts",
        "To keep accounts safe, this can be tried only a few times in a row.",
        "Wait a minute, and try again.",
    ),
    ErrorCode(
        "too_large",
        "The request is too large",
        "The body is larger than Manta accepts.",
        "Send less at a time.",
    ),
    ErrorCode(
        "busy",
        "Manta is busy",
        "Too many large requests are being handled, or too many streams are open.",
        "Wait a few seconds, and try again.",
    ),
    ErrorCode(
        "database_away",
        "The database is not responding",
        "Manta's own database can't be reached at the moment.",
        "Wait a few seconds, and try again. If it continues, tell your administrator.",
    ),
    ErrorCode(
        "restarting",
        "Manta is restarting",
        "The server process that received the request is stopping, or has only just started.",
        "Wait a few seconds, and try again.",
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
        "Manta itself failed. The error has been recorded; your sandbox and its files are not "
        "affected.",
        "Try again. If it happens again, send the request id to your administrator.",
    ),
)
