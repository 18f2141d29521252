"""Terraform's files as Python values: what can be checked without the provider."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

from tests.support.paths import ROOT

TERRAFORM = ROOT / "infra" / "terraform"
MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
ENVIRONMENTS = sorted(path for path in (TERRAFORM / "environments").iterdir() if path.is_dir())
FILES = sorted(
    path
    for pattern in ("*.tf", "*.tfvars", "*.tftest.hcl")
    for path in TERRAFORM.rglob(pattern)
    if ".terraform" not in path.parts
)
_READ = SerializationOptions(
    with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
)


@dataclass(frozen=True)
class Block:
    """One block at the top of a file: its kind (resource, variable, ...), its labels and what is in it.

    Expressions are texts: `${var.name}`. Nested blocks are lists of dicts, and strings have no quotes.
    """

    folder: Path
    kind: str
    labels: tuple[str, ...]
    body: dict[str, Any]

    @property
    def address(self) -> str:
        """Return the block's readable address: modules/queue aws_sqs_queue.this."""
        return f"{self.folder.relative_to(TERRAFORM)} {'.'.join(self.labels)}"

    def nested(self, name: str) -> list[dict[str, Any]]:
        """Return the nested blocks of this name, including those of `dynamic` blocks."""
        return nested(self.body, name)


def nested(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the nested blocks of a body with this name; for a `dynamic` block, its content."""
    plain = body.get(name, [])
    repeated = [entry[name]["content"][0] for entry in body.get("dynamic", []) if name in entry]
    return [*(plain if isinstance(plain, list) else [plain]), *repeated]


@cache
def parse(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        content: dict[str, Any] = hcl2.load(file, serialization_options=_READ)
    return content


@cache
def blocks(kind: str) -> tuple[Block, ...]:
    """Return every block of a kind in all modules and environments. A resource has two labels, a variable one."""
    return tuple(_blocks(kind))


def _blocks(kind: str) -> Iterator[Block]:
    depth = {"resource": 2, "data": 2, "locals": 0, "terraform": 0}.get(kind, 1)
    for path in FILES:
        if path.suffix == ".tf":
            for entry in parse(path).get(kind, []):
                yield from _labelled(path.parent, kind, (), entry, depth)


def _labelled(folder: Path, kind: str, labels: tuple[str, ...], entry: dict[str, Any], depth: int) -> Iterator[Block]:
    if depth == 0:
        yield Block(folder, kind, labels, entry)
        return
    for label, inner in entry.items():
        yield from _labelled(folder, kind, (*labels, label), inner, depth - 1)


def resources(kind: str) -> list[Block]:
    """Return every resource of a type."""
    return [block for block in blocks("resource") if block.labels[0] == kind]


def resource(module: str, kind: str, name: str) -> Block:
    """Return the one resource of this module, type and name."""
    [found] = [
        block for block in resources(kind) if block.labels[1] == name and block.folder == TERRAFORM / "modules" / module
    ]
    return found


def locals_of(module: str) -> dict[str, Any]:
    """Return all local values of a module."""
    folder = TERRAFORM / "modules" / module
    return {name: value for block in blocks("locals") if block.folder == folder for name, value in block.body.items()}


def defaults(module: str) -> dict[str, Any]:
    """Return the defaults of a module's variables."""
    folder = TERRAFORM / "modules" / module
    variables = [block for block in blocks("variable") if block.folder == folder]
    return {block.labels[0]: block.body["default"] for block in variables if "default" in block.body}


def text_of(path: Path) -> str:
    """Return a file's text without its comments."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^\s*(#|//).*$|\s#[^\"\n]*$", "", text, flags=re.MULTILINE)
