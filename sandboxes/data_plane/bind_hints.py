"""Hints for common servers that listen on loopback only: how to bind to every address."""

from sandboxes.data_plane.process_snapshot import Listening

# What a command contains, and the option that opens its server; the first that fits.
_OPTIONS = (
    ("vite", "--host"),
    ("astro", "--host"),
    ("next", "-H 0.0.0.0"),
    ("nuxt", "--host 0.0.0.0"),
    ("webpack", "--host 0.0.0.0"),
    ("react-scripts", "HOST=0.0.0.0 in its environment"),
    ("http.server", "--bind 0.0.0.0"),
    ("runserver", "0.0.0.0:{port}"),
    ("uvicorn", "--host 0.0.0.0"),
    ("gunicorn", "--bind 0.0.0.0:{port}"),
    ("flask", "--host 0.0.0.0"),
    ("streamlit", "--server.address 0.0.0.0"),
    ("jupyter", "--ip 0.0.0.0"),
    ("puma", "-b tcp://0.0.0.0:{port}"),
    ("rails", "-b 0.0.0.0"),
    ("hugo", "--bind 0.0.0.0"),
    ("jekyll", "--host 0.0.0.0"),
    ("php", "-S 0.0.0.0:{port}"),
)


def how_to_listen_everywhere(found: Listening) -> str:
    """Return the hint for a server that only its own sandbox can reach."""
    port, address = found.port, found.address
    option = next((option for name, option in _OPTIONS if name in found.command), "")
    what = f"Start it with {option.format(port=port)}" if option else "Have it listen on 0.0.0.0"
    return f"The server on port {port} listens on {address}, inside the sandbox only. {what}."
