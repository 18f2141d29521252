"""The content of docker-compose.yml, read as a file: no container engine is needed."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.composed import FILE, STORAGES, composition, has, run
from tests.support.paths import ROOT

DOCS = ROOT / "docs" / "docker.md"
ONCE = {"migrate", "bucket", "seed"}
# They never run: they make Compose refuse a misspelled profile.
REFUSING = {"profile", "set-COMPOSE_PROFILES-instead"}
COMPOSED: dict[str, Any] = composition()
SERVICES: dict[str, dict[str, Any]] = {
    name: service for name, service in COMPOSED["services"].items() if name not in REFUSING
}
RUNNING = sorted(SERVICES.keys() - ONCE)


def dockerfile(service: dict[str, Any]) -> str:
    return str(service["build"].get("dockerfile", "Dockerfile"))


def test_the_services_are_as_listed() -> None:
    assert SERVICES.keys() == ONCE | {
        *("web", "gateway", "worker", "generator"),
        *("postgres", "redis", "storage", "mail"),
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_has_minimal_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] in ("10001:10001", "postgres")
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"] > 0
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert any(entry.startswith("/tmp:") for entry in service["tmpfs"])
    assert all("docker.sock" not in volume for volume in service.get("volumes", ()))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_built_here_or_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / dockerfile(service)).is_file()
        assert ":" not in service["image"]
    else:
        assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)+(-[a-z]+)?", service["image"]), service["image"]


@pytest.mark.parametrize("name", RUNNING)
def test_services_restart_and_have_health_checks(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert "healthcheck" in service or "\nHEALTHCHECK " in stage_of(service)


def stage_of(service: dict[str, Any]) -> str:
    """Return the Dockerfile's text of the stage that becomes the service's image."""
    stages = re.split(r"^(?=FROM )", (ROOT / dockerfile(service)).read_text(encoding="utf-8"), flags=re.MULTILINE)
    target = service["build"].get("target")
    return next(stage for stage in reversed(stages) if target is None or f" AS {target}\n" in stage)


def test_one_off_tasks_are_not_restarted_and_are_awaited() -> None:
    for name in ONCE:
        assert SERVICES[name]["restart"] == "no"
    for name in ("gateway", "worker"):
        conditions = {need: how["condition"] for need, how in SERVICES[name]["depends_on"].items()}
        assert conditions["migrate"] == conditions["bucket"] == "service_completed_successfully"


def test_only_the_front_doors_ports_are_open_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"web"}
    assert published["web"] == ["127.0.0.1:8080:8080", "127.0.0.1:9000:9000"]
    assert all("network_mode" not in service for service in SERVICES.values())


def reached_by(name: str) -> set[str]:
    """Return the services that share a network with one."""
    own = set(SERVICES[name]["networks"])
    return {other for other, service in SERVICES.items() if own & set(service["networks"])} - {name}


def test_a_service_reaches_only_what_it_works_with() -> None:
    assert {name: reached_by(name) for name in ("generator", "mail", "storage", "web", "redis", "postgres")} == {
        "generator": {"worker"},
        "mail": {"worker"},
        "storage": {"web", "gateway", "worker", "bucket", "seed"},
        "web": {"gateway", "storage", "worker", "bucket", "seed"},
        "redis": {"postgres", "gateway", "worker", "migrate", "seed"},
        "postgres": {"redis", "gateway", "worker", "migrate", "seed"},
    }
    for name, service in SERVICES.items():
        needed = set(service.get("depends_on", ()))
        assert needed - ONCE <= reached_by(name), name


def test_only_the_networks_of_the_front_door_and_of_the_worker_lead_out() -> None:
    networks = COMPOSED["networks"]
    assert {name for service in SERVICES.values() for name in service["networks"]} == networks.keys()
    outward = {name for name, options in networks.items() if not (options or {}).get("internal")}
    assert outward == {"front", "outside"}
    reaching = {name for name, service in SERVICES.items() if outward & set(service["networks"])}
    assert reaching == {"web", "gateway", "worker"}


def test_the_worker_has_as_long_to_stop_as_a_step_may_take() -> None:
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > 20


def test_every_part_of_the_app_runs_the_same_image_with_the_same_settings() -> None:
    app = {name: SERVICES[name] for name in ("gateway", "worker", "migrate", "bucket", "seed")}
    assert {service["image"] for service in app.values()} == {"easel"}
    shared = SERVICES["worker"]["environment"]
    for service in app.values():
        assert service["environment"].items() >= shared.items()


def test_the_storage_and_its_door_know_every_origin() -> None:
    services = composition(EASEL_PUBLIC_URL="https://a.example.com", EASEL_CORS_ORIGINS="https://b.example.com")[
        "services"
    ]
    for name in ("gateway", "bucket", "storage", "web"):
        environment = services[name]["environment"]
        assert environment["EASEL_PUBLIC_URL"] == "https://a.example.com"
        assert environment["EASEL_CORS_ORIGINS"] == "https://b.example.com"
    allowed = services["storage"]["environment"]["MINIO_API_CORS_ALLOW_ORIGIN"]
    assert allowed == "https://a.example.com,https://b.example.com"
    assert "$EASEL_PUBLIC_URL,$EASEL_CORS_ORIGINS" in (ROOT / "docker" / "ministack" / "Dockerfile").read_text()


@pytest.mark.parametrize("storage", STORAGES)
def test_the_profile_chooses_the_storage(storage: str) -> None:
    service = composition(COMPOSE_PROFILES="" if storage == "ministack" else storage)["services"]["storage"]
    assert service["image"] == f"easel-storage-{storage}"
    assert dockerfile(service) == f"docker/{storage}/Dockerfile"
    assert service["volumes"] == [f"{storage}:/data"]
    assert storage in COMPOSED["volumes"]


def test_a_profile_without_its_variable_is_refused() -> None:
    services = COMPOSED["services"]
    assert services["profile"]["profiles"] == ["minio", "localstack"]
    [wanted] = services["profile"]["depends_on"]
    assert services[wanted]["profiles"] == ["never"]
    for storage in STORAGES:
        assert storage not in composition(COMPOSE_PROFILES=storage)["services"]["profile"]["profiles"]


def test_data_is_kept_in_named_volumes() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert mounted <= COMPOSED["volumes"].keys()
    assert {"postgres", "ministack", "mail"} <= mounted
    # The image of Postgres 18 keeps each major version in a separate folder below this one.
    [place] = [volume.split(":")[1] for volume in SERVICES["postgres"]["volumes"]]
    assert place == "/var/lib/postgresql"
    assert SERVICES["postgres"]["environment"]["PGDATA"].startswith(f"{place}/18/")


def test_passwords_can_be_set_and_the_defaults_are_marked_as_such() -> None:
    own = composition(EASEL_DATABASE_PASSWORD="one", EASEL_S3_SECRET_KEY="two", EASEL_S3_ACCESS_KEY="three")
    assert "only-on-this-machine" not in str(own["services"])
    secret = re.compile("PASSWORD|SECRET")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name) and value:
                assert value == "only-on-this-machine"


@pytest.mark.parametrize(
    ("bind", "public_url", "password", "storage", "starts"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080", "only-on-this-machine", "", True),
        ("127.0.0.1", "http://localhost:8080", "only-on-this-machine", "", True),
        ("127.0.0.1", "http://LocalHost/", "only-on-this-machine", "", True),
        ("127.0.0.1", "https://easel.example.com", "only-on-this-machine", "", False),
        ("127.0.0.1", "http://127.0.0.1.example.com:80", "only-on-this-machine", "", False),
        ("0.0.0.0", "http://127.0.0.1:8080", "only-on-this-machine", "", False),
        ("0.0.0.0", "https://easel.example.com", "long-and-secret", "", True),
        ("0.0.0.0", "https://easel.example.com", "long-and-secret", "minio", True),
        ("0.0.0.0", "https://easel.example.com", "long-and-secret", "localstack", False),
        ("127.0.0.1", "http://127.0.0.1:8080", "only-on-this-machine", "localstack", True),
    ],
)
def test_exposed_services_have_passwords_and_a_storage_that_checks_signatures(
    bind: str, public_url: str, password: str, storage: str, starts: bool, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho migrated\n")
    program.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "EASEL_BIND": bind,
        "EASEL_PUBLIC_URL": public_url,
        "EASEL_DATABASE_URL": f"postgresql://easel:{password}@postgres/easel",
        "AWS_SECRET_ACCESS_KEY": password,
        "COMPOSE_PROFILES": storage,
    }
    script = ("sh", str(ROOT / "docker" / "migrate.sh"))
    if starts:
        assert run(*script, env=env) == "migrated\n"
    else:
        with pytest.raises(AssertionError, match="others can reach this site"):
            run(*script, env=env)


def test_the_docs_name_every_service_and_every_variable() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name in SERVICES:
        assert f"`{name}`" in text, name
    assert all(name in text for name in REFUSING)
    for variable in sorted(set(re.findall(r"\$\{([A-Z0-9_]+)", FILE.read_text(encoding="utf-8")))):
        assert variable in text, variable


def test_compose_itself_can_read_the_file() -> None:
    found = [name for name in (("docker", "compose"), ("docker-compose",)) if has(*name, "version")]
    if not found:
        pytest.skip("there is no Compose on the PATH")
    for name in found:
        run(*name, "-f", str(FILE), "config", "--quiet")
