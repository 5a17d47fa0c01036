"""Paths of the streams, in a module that imports nothing, for links and descriptions."""

STATUS = "/live/sandbox"
SANDBOX_EVENTS = "/live/inside"
PROCESS_LOGS = "/api/sandbox/processes/logs"
TERMINAL = "/ws/terminal"
FILE_CONTENT, FOLDER_ARCHIVE = "/api/sandbox/files/content", "/api/sandbox/files/archive"
