"""The rules of ARCHITECTURE.md that can be checked: which package imports which, and what is in only one place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SERVER = ("functions", "shared", "poller")
PYTHON = (*SERVER, "generator", "painter", "local", "cli", "migrations", "bench", "infra")
LONGEST_FILE, LONGEST_FUNCTION = 400, 50

# Lowest first. A package imports only from lower layers.
LAYERS = (
    {"core"},
    {"images", "clients"},
    {"generators"},
    {"services"},
    {"api", "metrics"},
    {"accounts"},
    {"jobs"},
    {"gallery", "likeness", "notify", "scenes"},
    {"exports"},
    {"polling"},
    {"admin"},
    {"testing"},
)
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}

# Exceptions from the maximum length of a file or function, each with its reason.
LONG: dict[str, str] = {
    "web/text/en.js": "all words of a language are in one file",
    "web/text/ru.js": "all words of a language are in one file",
    "local/site.py:site_parts": "a list of parts, one after the other",
    "migrations/versions/0001_jobs_and_everything_around_them.py:upgrade": "a list of tables, one after the other",
}


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob(f"*{suffix}"))]
    assert found or folders == ("bench",)
    return [path for path in found if "node_modules" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Return the full names of a file's imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def package_of_shared(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "shared" and len(parts) > 1 and parts[1] in RANK else None


def files_where(pattern: str, paths: list[Path]) -> dict[str, int]:
    found = {name_of(path): len(re.findall(pattern, path.read_text(encoding="utf-8"))) for path in paths}
    return {name: count for name, count in found.items() if count}


def test_every_package_has_its_layer() -> None:
    modules = {path.stem for path in (ROOT / "shared").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "shared").glob("*/__init__.py")}
    assert modules | packages == RANK.keys()


@pytest.mark.parametrize("path", files("shared"), ids=name_of)
def test_imports_of_shared_go_down(path: Path) -> None:
    own = path.relative_to(ROOT / "shared").parts[0].removesuffix(".py")
    for module in imports(path):
        assert module.split(".")[0] not in ("functions", "poller", "generator", "local", "cli"), module
        package = package_of_shared(module)
        if package is not None and package != own:
            assert RANK[package] < RANK[own], f"{own} imports {package}"


def test_functions_and_poller_do_not_know_each_other() -> None:
    for folder, others in (("functions", {"poller", "local", "generator"}), ("poller", {"functions", "generator"})):
        for path in files(folder):
            assert not {module.split(".")[0] for module in imports(path)} & others, name_of(path)


def test_the_generator_is_a_separate_package() -> None:
    for path in files("generator"):
        assert not {module.split(".")[0] for module in imports(path)} & {*SERVER, "local", "cli"}, name_of(path)


def test_commands_import_only_the_library() -> None:
    for path in files("cli"):
        others = {"functions", "poller", "generator", "local", "bench"}
        assert not {module.split(".")[0] for module in imports(path)} & others, name_of(path)


def test_a_function_never_calls_a_generator() -> None:
    for path in files("functions"):
        assert not {package_of_shared(module) for module in imports(path)} & {
            "generators",
            "polling",
            "admin",
        }


def test_only_the_settings_read_the_environment() -> None:
    assert set(files_where(r"\bos\.(environ|getenv)\b|\bgetenv\b", files(*SERVER))) == {"shared/core/settings.py"}


def test_only_the_database_module_commits() -> None:
    pattern = r"\.commit\(|\.rollback\(|create_engine\(|\.begin_nested\("
    assert set(files_where(pattern, files(*SERVER))) == {"shared/core/db.py"}


def test_only_the_storage_module_knows_s3() -> None:
    users = [name_of(path) for path in files(*SERVER) if any(module.startswith("minio") for module in imports(path))]
    assert users == ["shared/clients/s3_client.py", "shared/clients/storage.py"]
    clients = [name_of(path) for path in files(*SERVER) if "shared.clients.s3_client" in imports(path)]
    assert clients == ["shared/clients/storage.py"]


def test_only_the_generators_clients_make_http_calls() -> None:
    clients = {"requests", "httpx", "http.client", "urllib.request"}
    users = {name_of(path) for path in files(*SERVER) if clients & set(imports(path))}
    assert all(name.startswith("shared/generators/") for name in users), users


def test_only_two_modules_of_the_site_fetch() -> None:
    fetching = set(files_where(r"\bfetch\(|XMLHttpRequest", files("web", suffix=".js")))
    assert fetching == {"web/lib/api.js", "web/lib/picture-storage.js"}


def test_the_site_never_builds_markup_from_text() -> None:
    pattern = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\("
    assert files_where(pattern, files("web", suffix=".js") + files("web", suffix=".html")) == {}


def test_any_exception_is_caught_in_only_four_places() -> None:
    pattern = r"except (Exception|BaseException)\b|except:"
    places = (
        *("functions/http/gathered.py", "functions/http/request_id.py"),
        *("shared/polling/patience.py", "shared/polling/worker.py"),
    )
    assert files_where(pattern, files(*SERVER)) == dict.fromkeys(places, 1)


def test_no_file_is_too_long() -> None:
    sources = files(*PYTHON) + [path for kind in (".js", ".css", ".html") for path in files("web", suffix=kind)]
    long = {name_of(path) for path in sources if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE}
    assert long == {name for name in LONG if ":" not in name}


def test_no_function_is_too_long() -> None:
    long = set()
    for path in files(*PYTHON):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                    long.add(f"{name_of(path)}:{node.name}")
    assert long == {name for name in LONG if ":" in name}


def test_no_module_is_a_catch_all() -> None:
    odd = re.compile(r"util|helper|manager|misc|common")
    assert [name_of(path) for path in files(*PYTHON) if odd.search(path.stem)] == []
