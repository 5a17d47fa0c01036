"""Where the streams are; alone, so that describing or linking to them loads nothing else."""

STATUS = "/live/sandbox"
SANDBOX_EVENTS = "/live/inside"
PROCESS_LOGS = "/api/sandbox/processes/logs"
TERMINAL = "/ws/terminal"
