"""Where the streams are; alone, so that describing or linking to it loads nothing else."""

PATH = "/live/inside"
LOGS_PATH = "/api/sandbox/processes/logs"
