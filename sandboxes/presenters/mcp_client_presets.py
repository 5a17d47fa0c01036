"""Setup instructions for common MCP clients: the command or the configuration file of each."""

from dataclasses import dataclass, replace

URL = "{url}"
_ENVIRONMENT = "Start it with the token in the variable MANTA_TOKEN."


@dataclass(frozen=True)
class Client:
    slug: str
    name: str
    # Where what follows goes: a terminal, or a file.
    place: str
    signs_in: str
    with_token: str
    # What is left to do, for a client that signs in by itself.
    then: str = "Your browser opens and asks you to allow access."
    # Where the token goes, and what to do where it isn't taken.
    note: str = _ENVIRONMENT

    def told(self, url: str) -> "Client":
        """The same, for a Manta at this address."""
        return replace(
            self,
            signs_in=self.signs_in.replace(URL, url),
            with_token=self.with_token.replace(URL, url),
        )


CLIENTS = (
    Client(
        "claude-code",
        "Claude Code",
        "In a terminal",
        "claude mcp add --transport http manta {url}",
        'claude mcp add --transport http manta {url} --header "Authorization: Bearer $MANTA_TOKEN"',
        "Then type /mcp in Claude Code, choose manta and sign in.",
        "Run it with the token in the variable MANTA_TOKEN. If /mcp still says that manta needs "
        "authentication, this version leaves the token out: sign in there.",
    ),
    Client(
        "cursor",
        "Cursor",
        "~/.cursor/mcp.json",
        """{
  "mcpServers": {
    "manta": { "url": "{url}" }
  }
}""",
        """{
  "mcpServers": {
    "manta": {
      "url": "{url}",
      "headers": { "Authorization": "Bearer ${env:MANTA_TOKEN}" }
    }
  }
}""",
        note=f"{_ENVIRONMENT} If it still asks for authentication, this version leaves the "
        "token out: sign in.",
    ),
    Client(
        "vs-code",
        "VS Code",
        ".vscode/mcp.json",
        """{
  "servers": {
    "manta": { "type": "http", "url": "{url}" }
  }
}""",
        """{
  "inputs": [
    {
      "type": "promptString",
      "id": "manta-token",
      "description": "Manta token",
      "password": true
    }
  ],
  "servers": {
    "manta": {
      "type": "http",
      "url": "{url}",
      "headers": { "Authorization": "Bearer ${input:manta-token}" }
    }
  }
}""",
        note="It asks for the token once.",
    ),
    Client(
        "windsurf",
        "Windsurf",
        "~/.codeium/windsurf/mcp_config.json",
        """{
  "mcpServers": {
    "manta": { "serverUrl": "{url}" }
  }
}""",
        """{
  "mcpServers": {
    "manta": {
      "serverUrl": "{url}",
      "headers": { "Authorization": "Bearer ${env:MANTA_TOKEN}" }
    }
  }
}""",
    ),
    Client(
        "codex",
        "Codex",
        "~/.codex/config.toml",
        """[mcp_servers.manta]
url = "{url}\"""",
        """[mcp_servers.manta]
url = "{url}"
bearer_token_env_var = "MANTA_TOKEN\"""",
        "Then run: codex mcp login manta",
    ),
    Client(
        "goose",
        "Goose",
        "~/.config/goose/config.yaml",
        """extensions:
  manta:
    enabled: true
    type: streamable_http
    name: manta
    uri: {url}
    timeout: 300""",
        """extensions:
  manta:
    enabled: true
    type: streamable_http
    name: manta
    uri: {url}
    timeout: 300
    env_keys: [MANTA_TOKEN]
    headers:
      Authorization: Bearer ${MANTA_TOKEN}""",
    ),
    Client(
        "other",
        "Any other",
        "Streamable HTTP, at this address",
        "{url}",
        "{url}\nAuthorization: Bearer (your token)",
        note="",
    ),
)


def named(slug: str, url: str) -> Client | None:
    found = next((client for client in CLIENTS if client.slug == slug), None)
    return found.told(url) if found else None
