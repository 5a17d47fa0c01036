from django.urls import path
from django.views.generic import RedirectView

from accounts import agent_permission_views, agent_views, token_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.settings, name="settings"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/elsewhere/end/", views.end_sessions_elsewhere, name="end-sessions-elsewhere"),
    path("sessions/<int:pk>/end/", views.end_session, name="end-session"),
    path("data/", views.data, name="data"),
    path("tokens/", token_views.own_tokens, name="tokens"),
    path("tokens/new/", token_views.new_token, name="new-token"),
    path("tokens/<int:pk>/revoke/", token_views.revoke_token, name="revoke-token"),
    path("agents/", agent_views.own_agents, name="agents"),
    path("agents/<int:pk>/revoke/", agent_views.revoke_agent, name="revoke-agent"),
    path("agents/<slug:key>/permissions/", agent_permission_views.permissions, name="permissions"),
    # The address had another word for the permissions; links to it remain.
    path(
        "agents/<slug:key>/passport/",
        RedirectView.as_view(pattern_name="accounts:permissions", permanent=True),
    ),
    path("delete/", views.delete, name="delete"),
]
