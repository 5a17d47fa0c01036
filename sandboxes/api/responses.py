"""Responses that routes have in common, for the API's description."""

from sandboxes.presenters.serializers import ErrorResponse

# Of what reaches into a sandbox or asks the provider.
REFUSED = dict.fromkeys((400, 401, 403, 404, 409, 410, 502, 503), ErrorResponse)
