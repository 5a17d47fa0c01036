"""Sign-in for agents: OAuth 2.1 as MCP's authorization specification asks for it, and no more.

Public clients that register themselves, authorization codes with PKCE by S256, rotating refresh
tokens, and one audience. allauth.idp.oidc does it. What its adapter is asked, adapter.py answers
strictly; what it lets be and MCP does not, views.py refuses before it is asked.
"""
