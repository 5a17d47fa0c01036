import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from accounts import tokens
from sandboxes.mcp.endpoint import PATH
from tests.support.web_process import Web


@pytest.fixture
def token() -> Callable[..., str]:
    """A new personal token's text."""

    def token(user: Any, *scopes: str) -> str:
        minted = tokens.mint(
            user=user,
            name="laptop",
            scopes=scopes or ("mcp",),
            lifetime=timedelta(days=7),
            key=tokens.new_key(),
        )
        assert minted
        return minted[1]

    return token


@pytest.fixture
def as_agent(web: Web, token: Callable[..., str]) -> Callable[..., Any]:
    """Do something with a client of the `mcp` package that has a token of the user's."""

    def as_agent(user: Any, work: Callable[[Client], Any]) -> Any:
        headers = {"Authorization": f"Bearer {token(user)}"}

        async def connected() -> Any:
            async with (
                httpx2.AsyncClient(headers=headers, trust_env=False, timeout=90) as http,
                Client(streamable_http_client(web.url + PATH, http_client=http)) as client,
            ):
                return await work(client)

        return asyncio.run(connected())

    return as_agent
