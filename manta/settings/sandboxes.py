"""Blaxel, and what a new sandbox is made of."""

from datetime import timedelta

from manta.core import env

BLAXEL_WORKSPACE_ID = env.text("BLAXEL_WORKSPACE_ID")
BLAXEL_API_KEY = env.secret("BLAXEL_API_KEY")
BLAXEL_API_URL = env.text("BLAXEL_API_URL", "https://api.blaxel.ai/v0").rstrip("/")
# Where previews live: the hosts that Manta's pages may send a person, or a frame, to.
PREVIEW_ORIGINS = env.items("MANTA_PREVIEW_ORIGINS", "https://*.preview.bl.run")
# A frame needs the preview host to hold its access in a Partitioned cookie; local_blaxel does.
FRAME_PREVIEWS = env.flag("MANTA_FRAME_PREVIEWS")

SANDBOX_IMAGE = env.text("SANDBOX_IMAGE", "blaxel/prod-base:latest")
SANDBOX_MEMORY_MB = env.number("SANDBOX_MEMORY_MB", 4096, minimum=128)
SANDBOX_PORTS = env.ports("SANDBOX_PORTS", "3000")
SANDBOX_REGION = env.text("SANDBOX_REGION", "us-pdx-1")
SANDBOX_TTL = env.duration("SANDBOX_TTL", "24h")
SANDBOX_STARTER = env.text("SANDBOX_STARTER", "web")

# An open workspace in which nothing was done for this long lets the sandbox sleep.
WORKSPACE_IDLE_AFTER = env.duration("WORKSPACE_IDLE_AFTER", "5m")

# How long the record of what was done is kept; 0s: for ever.
AUDIT_RETENTION = env.duration("MANTA_AUDIT_RETENTION", "365d")

# How long each call of an agent is kept; 0s: for ever.
CALLS_RETENTION = env.duration("MANTA_CALLS_RETENTION", "30d")

# How long making a sandbox may take before it counts as failed and offers Retry.
SANDBOX_START_TIMEOUT = timedelta(seconds=env.number("SANDBOX_START_TIMEOUT", 120, minimum=5))
# How often making it is tried again within that time; with these waits six take a minute.
SANDBOX_START_RETRIES = env.number("SANDBOX_START_RETRIES", 6)
# How many are made at once, by all workers together; the others wait in a queue.
SANDBOX_STARTS_AT_ONCE = env.number("SANDBOX_STARTS_AT_ONCE", 8, minimum=1)
