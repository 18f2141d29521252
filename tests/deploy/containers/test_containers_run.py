"""The whole site in containers, as a visitor with a browser sees it. Slow, so it runs only on request."""

import os
import secrets
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.composed import STORAGES, Project, bases, compose_command, composition, has
from tests.support.paths import ROOT
from tests.support.visitor import visitor
from tests.support.waiting import until

ASKED = os.environ.get("EASEL_TEST_CONTAINERS") == "1"
ONCE = {"migrate", "bucket", "seed"}
pytestmark = pytest.mark.skipif(not ASKED, reason="slow: EASEL_TEST_CONTAINERS=1 make test runs it, with Docker")


@pytest.fixture(scope="module", params=STORAGES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    storage = str(request.param)
    if compose_command() is None or not has("docker", "info"):
        pytest.skip("there is no Docker engine with Compose that answers")
    dockerfiles = ["Dockerfile", "generator/Dockerfile", "docker/mail/Dockerfile", f"docker/{storage}/Dockerfile"]
    wanted = {image for name in dockerfiles for image in bases(ROOT / name)}
    wanted |= {service["image"] for service in composition()["services"].values() if "build" not in service}
    for image in sorted(wanted):
        if not has("docker", "image", "inspect", image) and not has("docker", "pull", image):
            pytest.skip(f"the image {image} is neither here nor to be had")
    project = Project(storage, tmp_path_factory.mktemp("compose"))
    project.build()
    try:
        project.up()
        yield project
    finally:
        project.down("--volumes")


def mails(site: Project) -> list[EmailMessage]:
    """Return the mails in the mail catcher."""
    names = site.compose("exec", "-T", "mail", "find", "/mail", "-path", "*/new/*").split()
    texts = [site.compose("exec", "-T", "mail", "cat", name) for name in names]
    return [message_from_bytes(text.encode(), policy=policy.default) for text in texts]


def test_every_service_is_up_and_the_site_is_healthy(site: Project) -> None:
    until(lambda: all(is_well(container) for container in site.containers()), "every container is well", 60)
    services = {container["Config"]["Labels"]["com.docker.compose.service"] for container in site.containers()}
    assert services == {name for name, service in composition()["services"].items() if "profiles" not in service}
    with requests.get(f"{site.url}/v1/health", timeout=30) as answer:
        assert answer.json() == {
            "status": "ok",
            "checks": dict.fromkeys(("database", "storage", "broker", "poller"), "ok"),
        }
    published = {
        (binding["HostIp"], binding["HostPort"])
        for container in site.containers()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("127.0.0.1", site.env["EASEL_PORT"]), ("127.0.0.1", site.env["EASEL_S3_PORT"])}


def test_the_operators_check_finds_nothing_wrong_inside(site: Project) -> None:
    checked = site.output("exec", "-T", "worker", "easel", "check").splitlines()
    wrong = [line for line in checked if line.startswith("wrong") and "EASEL_PUBLIC_URL" not in line]
    # LocalStack accepts any signature; this is a known deviation.
    assert wrong == [] or site.storage == "localstack", checked
    assert any(line.startswith("ok") and "PostgreSQL" in line for line in checked)


def is_well(container: dict[str, Any]) -> bool:
    state = container["State"]
    if container["Config"]["Labels"]["com.docker.compose.service"] in ONCE:
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)
    return bool(state["Health"]["Status"] == "healthy")


def test_every_running_container_has_minimal_rights(site: Project) -> None:
    for container in site.containers():
        if container["Config"]["Labels"]["com.docker.compose.service"] in ONCE:
            continue
        assert container["HostConfig"]["ReadonlyRootfs"] is True
        assert container["HostConfig"]["CapDrop"] == ["ALL"]
        assert not container["HostConfig"]["CapAdd"]
        assert container["HostConfig"]["Memory"] > 0


def test_a_visitor_paints_and_data_survives_down_and_up(site: Project) -> None:
    email = f"visitor-{secrets.token_hex(6)}@example.com"
    with visitor(site.url, site.s3_url) as person:
        person.sign_up(email, PASSWORD)
        person.submit("a lighthouse above the fog", quality="Draft", count=2)
        person.see_finished(120)
        addresses = person.see_pictures("", 2, name="Pictures")
        assert all(address.startswith(f"{site.s3_url}/easel/jobs/") for address in addresses)
        assert person.complaints == []
        place = person.page.url.removeprefix(site.url)
    site.down()
    site.up()
    if site.storage == "localstack":
        # Without a token LocalStack keeps nothing, as docs/docker.md says. The job itself is in the database.
        with requests.get(addresses[0], timeout=30) as answer:
            assert answer.status_code == 404
        return
    with visitor(site.url, site.s3_url) as person:
        person.log_in(email, PASSWORD)
        assert len(person.see_pictures(place, 2, name="Pictures")) == 2
        assert person.complaints == []


def test_an_upload_goes_directly_to_the_storage(site: Project) -> None:
    picture = (ROOT / "docs" / "painter.webp").read_bytes()
    with ApiUser(site.url) as user:
        form = user.call("POST", "/v1/uploads", json={"content_type": "image/webp", "size": len(picture)}).json()
        assert form["url"].startswith(site.s3_url)
        origin = {"Origin": site.url}
        with requests.post(form["url"], form["fields"], files={"file": picture}, headers=origin, timeout=60) as stored:
            assert stored.status_code in (200, 201, 204), stored.text
            assert stored.headers["Access-Control-Allow-Origin"] == site.url
        user.submit("a wall of pictures", source_images=[form["key"]], strength=0.3)
        [job] = user.finished(120)
        assert job["state"] == "succeeded", job["error"]
        # A storage URL is useless without its signature, and listing or deleting is not possible from outside.
        bare = job["images"][0]["url"].partition("?")[0]
        for method, address in (("GET", bare), ("GET", f"{site.s3_url}/easel/"), ("DELETE", job["images"][0]["url"])):
            with requests.request(method, address, timeout=30) as answer:
                assert answer.status_code == 403


def test_the_mail_about_a_finished_job_is_caught(site: Project) -> None:
    with ApiUser(site.url) as user:
        user.submit("a letter box in the snow", notify="email")
        user.finished(120)
        [mail] = until(lambda: [mail for mail in mails(site) if mail["To"] == user.email], "the mail is there", 60, 1)
    text = mail.get_body(("plain",))
    assert text is not None
    assert site.url in text.get_content()


def test_more_workers_and_generators_share_the_work(site: Project) -> None:
    site.up("--scale", "worker=3", "--scale", "generator=2")
    assert (len(site.containers("worker")), len(site.containers("generator"))) == (3, 2)
    users = [ApiUser(site.url) for _ in range(4)]
    for number, user in enumerate(users):
        for _ in range(2):
            user.submit(f"a row of poplars, {number}", width=256, height=256)
    for user in users:
        assert {job["state"] for job in user.finished(180)} == {"succeeded"}
        user.session.close()
    until(lambda: all(is_well(container) for container in site.containers("worker")), "the workers are well", 60)

    logs = [site.log_of(worker) for worker in site.containers("worker")]
    assert sum('"step": "fetch", "outcome": "succeeded"' in log for log in logs) >= 2


def test_a_worker_stops_by_itself_on_request(site: Project) -> None:
    [first, *_] = site.containers("worker")
    # LocalStack may need longer than its stop timeout, and has nothing to lose.
    storage = [] if site.storage == "localstack" else ["storage"]
    site.compose("stop", "worker", "gateway", "web", "generator", "mail", *storage)
    states = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container["State"]["ExitCode"]
        for container in site.containers()
    }
    # 137 would mean that it ignored the signal and was killed.
    assert 137 not in states.values(), states
    assert first["Id"] in {container["Id"] for container in site.containers("worker")}
    site.up()
