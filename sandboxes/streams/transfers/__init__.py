"""Files of any size, in and out of a sandbox, beside Django: no thread is held meanwhile."""
