"""The REST API and its description."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.permissions.WithinScopes",
        "manta.core.api_input.KnownParameters",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["manta.core.api_input.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "manta.core.api_input.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "accounts.schema.ScopedSchema",
    "EXCEPTION_HANDLER": "manta.core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Manta",
    "DESCRIPTION": "Your own sandbox: its state, files, terminals, processes and ports.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        # Routes beside Django, which it can't find by itself.
        "sandboxes.streams.status.openapi.describe",
        "sandboxes.streams.transfers.openapi.describe",
        "sandboxes.streams.sandbox_events.openapi.describe",
        "sandboxes.streams.process_logs.openapi.describe",
    ],
}
