"""Sign-in for agents: OAuth 2.1 as MCP's authorization specification asks for it, and no more.

Public clients that register themselves, authorization codes with PKCE by S256, rotating refresh
tokens, and one audience. oauthlib reads and answers; what is stored and what is allowed is here.
allauth.idp.oidc would do more than that, and refuse less.
"""
