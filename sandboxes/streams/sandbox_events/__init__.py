"""Events inside the user's sandbox, as a stream of server-sent events, beside Django.

endpoint lets a page in; upstream follows a sandbox for all pages on it, and page is what one of
them has still to be told.
"""
