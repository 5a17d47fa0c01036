"""The clients and refresh tokens of connected agents, as allauth keeps them.

Access tokens have another shape there. Agents get new ones, as they do each hour.
"""

from django.db import migrations

def copy(apps, schema_editor):
    Client = apps.get_model("allauth_idp_oidc", "Client")
    Token = apps.get_model("allauth_idp_oidc", "Token")
    OAuthClient = apps.get_model("accounts", "OAuthClient")
    AgentSecret = apps.get_model("accounts", "AgentSecret")
    for client in OAuthClient.objects.iterator():
        Client.objects.create(
            id=client.id,
            name=client.name,
            secret="!",  # it has none: the client is public
            type="public",
            scopes="mcp\noffline_access",
            default_scopes="mcp",
            grant_types="authorization_code\nrefresh_token",
            response_types="code",
            redirect_uris="\n".join(client.redirect_uris),
            created_at=client.created_at,
        )
    kept = AgentSecret.objects.filter(kind="refresh", spent_at=None)
    for secret in kept.select_related("agent").iterator():
        Token.objects.create(
            type="rt",
            hash=secret.digest,
            client_id=secret.agent.client_id,
            user_id=secret.agent.user_id,
            data={"resources": [secret.agent.resource]},
            expires_at=secret.expires_at,
            scopes="mcp",
        )
    AgentSecret.objects.filter(kind="access").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_agent_passport"),
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
    ]

    operations = [migrations.RunPython(copy, elidable=True)]
