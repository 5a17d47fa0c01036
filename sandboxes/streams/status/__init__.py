"""Status of the user's sandbox, as a stream of server-sent events, beside Django.

endpoint answers a request, hub knows the open streams and has one thread poll for all of them,
poller reads what has changed, messages words it, and cursor lets a stream go on after another.
"""
