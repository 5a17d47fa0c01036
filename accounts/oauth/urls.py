from django.urls import path

from accounts.oauth import metadata, register, views

app_name = "oauth"
urlpatterns = [
    path(".well-known/oauth-protected-resource", metadata.protected_resource, name="resource"),
    path(
        ".well-known/oauth-protected-resource/mcp",
        metadata.protected_resource,
        name="mcp-resource",
    ),
    path(".well-known/oauth-authorization-server", metadata.authorization_server, name="server"),
    path("oauth/register", register.Register.as_view(), name="register"),
    path("oauth/authorize", views.Authorize.as_view(), name="authorize"),
    path("oauth/token", views.Token.as_view(), name="token"),
    path("oauth/revoke", views.revoke, name="revoke"),
]
