"""What happens inside one's own sandbox, as a stream of server-sent events, beside Django.

endpoint lets a page in; upstream follows a sandbox for all pages on it, and page is what one of
them has still to be told. changes reads its watch, census what runs in it, and table puts that
together with what the sandbox's own server knows. logs relays what a process says. Nothing is
imported here: services use census and table, and the endpoints use services.
"""
