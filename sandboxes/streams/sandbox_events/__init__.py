"""Events inside the user's sandbox, as a stream of server-sent events, beside Django."""
