"""Checks every request and answer of Twilio's API against the vendor's own schema on its way."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

HOST = "https://api.twilio.com"


def contract(name: str) -> Any:
    """Return one of the vendor's files that lie beside the checkout, or skip."""
    shared = Path(os.environ.get("AGENTCONSOLE_SHARED", Path(__file__).parents[3] / "shared"))
    path = shared / "contracts" / "twilio" / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"a vendor file is missing in CI: {path}")
        pytest.skip(f"Twilio's {name} does not lie beside the checkout (set AGENTCONSOLE_SHARED)")
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def schema() -> OpenAPI:
    return OpenAPI.from_dict(contract("twilio_api_v2010.messages.json"))


class Checked(httpx.AsyncBaseTransport):
    """Passes requests on to ``inner``. A request or an answer that breaks the schema ends the test.

    Refusals are passed unchecked: the vendor's file has only answers that succeed.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.openapi = schema()
        self.checked = 0
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.requests.append(request)
        pairs = ImmutableMultiDict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        asked = MockRequest(
            HOST,
            request.method.lower(),
            request.url.path,
            args=pairs,
            headers=dict(request.headers),
            data=body or None,
            content_type=request.headers.get("content-type", ""),
        )
        self.openapi.validate_request(asked)
        known = {"get": _list_parameters, "post": _send_parameters}[request.method.lower()]()
        sent = {name for name, _ in parse_qsl(body.decode())} if body else set(pairs)
        assert sent <= known, f"not in the vendor's schema: {sent - known}"
        answer = await self.inner.handle_async_request(request)
        if answer.status_code < 300:
            data = await answer.aread()
            given = MockResponse(data, answer.status_code, content_type=answer.headers["content-type"])
            self.openapi.validate_response(asked, given)
            self.checked += 1
            answer = httpx.Response(answer.status_code, headers=answer.headers, content=data)
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


def _operation(method: str) -> dict[str, Any]:
    paths = contract("twilio_api_v2010.messages.json")["paths"]
    found: dict[str, Any] = paths["/2010-04-01/Accounts/{AccountSid}/Messages.json"][method]
    return found


@functools.cache
def _list_parameters() -> frozenset[str]:
    return frozenset(one["name"] for one in _operation("get")["parameters"] if one["in"] == "query")


@functools.cache
def _send_parameters() -> frozenset[str]:
    content = _operation("post")["requestBody"]["content"]
    return frozenset(content["application/x-www-form-urlencoded"]["schema"]["properties"])
