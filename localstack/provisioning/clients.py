"""Clients of the servers that Easel's settings name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit


class Wrong(Exception):
    """A variable or an argument is wrong; the message names it."""


class Paginator(Protocol):
    """A boto3 paginator: yields the pages of a list."""

    def paginate(self) -> Iterable[dict[str, Any]]:
        """Yield the pages of the list."""
        ...


class ClientMeta(Protocol):
    """The properties of a boto3 client."""

    @property
    def region_name(self) -> str:
        """The region of the endpoint."""
        ...


class Client(Protocol):
    """A boto3 client: a method for each operation, which returns the parsed response."""

    @property
    def meta(self) -> ClientMeta:
        """The properties of the client."""
        ...

    def get_paginator(self, operation: str) -> Paginator:
        """Return the paginator of an operation."""
        ...

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]: ...


def connect(service: str, endpoint: str | None, region: str | None) -> Client:
    """Return a client of an AWS service: at this endpoint, or at AWS itself without one."""
    import boto3
    from botocore.config import Config

    # An emulator's host name does not contain the bucket's name.
    style = {"addressing_style": "path" if endpoint else "auto"}
    config = Config(s3=style, connect_timeout=5, read_timeout=20, retries={"max_attempts": 3})
    region = region or boto3.session.Session().region_name or "us-east-1"
    client: Client = boto3.client(service, endpoint_url=endpoint, region_name=region, config=config)
    return client


def endpoint_of(env: Mapping[str, str], variable: str) -> str | None:
    """Return the server that a variable names, or None for AWS itself, whose regional address boto3 knows."""
    url = env.get(variable, "")
    host = split_url(variable, url).hostname or ""
    return None if host.endswith("amazonaws.com") else url or None


def split_url(variable: str, url: str) -> SplitResult:
    """Return the parts of a variable's URL.

    Raises:
        Wrong: It cannot be parsed.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Wrong(f"{variable} holds an address that cannot be parsed.") from None
    return parts
