"""People: sign-in, second factors, personal tokens, and the agents that they connect."""
