"""Titles of the failures that the sandbox panel shows."""

NOT_CREATED = "Your sandbox could not be created"
FAILURES = {
    "unknown_image": "The provider does not have the image of your sandbox",
    "bad_credentials": "The sandbox provider does not accept Manta's key",
    "quota_exceeded": "The provider has no room for your sandbox",
    "quota_sandboxes": "The limit on sandboxes is reached",
    "quota_memory": "The limit on memory is reached",
    "quota_creations": "Too many sandboxes were created in the last hour",
    "wrong_owner": "The name of your sandbox is taken",
    "provider_unavailable": "The sandbox provider did not respond in time",
}
