"""The extension `adapters`: files are sent once, checked, and kept within limits."""

import asyncio
import json
import os
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from httpx import Response
from serving import Service, TestClient, open_png
from starlette.types import Message, Scope

from generator import adapters
from generator.engine_pool import ProcessEnginePool
from generator.engines.adapter_files import AdapterFiles
from generator.engines.diffusion.folder import MAX_HEADER_VALUES
from generator.jobs import Bounds
from generator.service import create_app


def file_of(value: int) -> bytes:
    """Return a safetensors file with one number."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes([value])


def header_only(*, count: int = 1, **entry: object) -> bytes:
    """Return a file whose header says that about each of so many tensors, and four bytes."""
    tensor = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]} | entry
    header = json.dumps({str(k): tensor for k in range(count)}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def many_values() -> bytes:
    header = b'{"w": [' + b"[]," * MAX_HEADER_VALUES + b"[]]}"
    return struct.pack("<Q", len(header)) + header


def name_of(data: bytes) -> str:
    return sha256(data).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("EASEL_ADAPTERS", str(folder))
        with TestClient(create_app(ProcessEnginePool("sharing_engine:Sharing"), Bounds(workers=2))) as client:
            yield Service(client)


def send(service: Service, name: str, data: bytes) -> Response:
    answer: Response = service.client.put(f"/adapters/{name}", content=data)
    return answer


def test_an_adapter_is_sent_and_used(service: Service) -> None:
    assert "adapters" in service.client.get("/health").json()["extensions"]
    one, other = file_of(1), file_of(2)
    wanted = [{"sha256": name_of(one), "weight": 0.5}, {"sha256": name_of(other)}]
    refused = service.post("/initiate_processing", prompt="x", adapters=wanted)
    assert (refused.status_code, refused.json()["error"]) == (409, "unknown_adapters")
    assert refused.json()["adapters"] == [name_of(one), name_of(other)]
    for data in (one, other):
        assert send(service, name_of(data), data).json() == {"sha256": name_of(data), "size_bytes": len(data)}
    results = service.finish(service.start(adapters=wanted, seed=3, steps=2))
    assert open_png(results["imgs"][0]).getpixel((0, 0)) == (20, 20, 20)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (name_of(b"x"), file_of(3)),
        (name_of(b"no safetensors"), b"no safetensors"),
        (name_of(struct.pack("<Q", 2**60)), struct.pack("<Q", 2**60)),
        (name_of(b""), b""),
        *(
            (name_of(data), data)
            for data in (
                header_only(data_offsets=[100, 104]),
                header_only(data_offsets=[0, 3]),
                header_only(shape=[-4]),
                header_only(shape=[float("nan")]),
                header_only(shape=[10**400]),
                header_only(count=2),
                many_values(),
            )
        ),
        ("A" * 64, file_of(3)),
        ("0" * 63, file_of(3)),
    ],
    ids=[
        "other hash",
        "other file",
        "long header",
        "empty",
        "outside",
        "bytes left",
        "negative",
        "nan",
        "huge",
        "overlap",
        "many values",
        "capitals",
        "short",
    ],
)
def test_what_is_no_adapter_is_refused_and_not_kept(service: Service, folder: Path, name: str, data: bytes) -> None:
    before = sorted(folder.iterdir())
    answer = send(service, name, data)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "sha256")
    assert sorted(folder.iterdir()) == before


def test_a_path_is_no_hash(service: Service) -> None:
    assert send(service, "..%2F..%2Fetc", file_of(3)).status_code in (404, 422)


def test_a_file_that_is_too_large_is_refused(service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "MAX_FILE_BYTES", 10)
    before = sorted(folder.iterdir())
    answer = send(service, name_of(file_of(4)), file_of(4))
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")
    assert sorted(folder.iterdir()) == before


def test_a_disk_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "adapters"
    monkeypatch.setenv("EASEL_ADAPTERS", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with TestClient(create_app(ProcessEnginePool("sharing_engine:Sharing"), Bounds(workers=0))) as client:
        folder.rmdir()
        folder.write_text("")
        answer = send(Service(client), name_of(file_of(5)), file_of(5))
        assert (answer.status_code, answer.json()["error"]) == (507, "not_kept")
        assert client.get("/health").status_code == 200


def test_those_used_last_are_kept(tmp_path: Path) -> None:
    data = [file_of(value) for value in range(4)]
    files = AdapterFiles(tmp_path, max_bytes=3 * len(data[0]))
    for age, one in enumerate(data[:3]):
        keep(files, one)
        os.utime(files.path(name_of(one)), (1000 + age, 1000 + age))
    assert files.missing([name_of(data[0])]) == []
    keep(files, data[3])
    assert files.missing(map(name_of, data)) == [name_of(data[1])]


def test_what_a_service_that_died_left_is_deleted(tmp_path: Path) -> None:
    files = AdapterFiles(tmp_path)
    left, coming = files.new(), files.new()
    left._file.close()
    os.utime(left._path, (1000, 1000))
    keep(files, file_of(6))
    assert (left._path.exists(), coming._path.exists()) == (False, True)
    coming.close()


def test_an_upload_that_breaks_off_is_no_fault_of_the_service(service: Service, folder: Path) -> None:
    before = sorted(folder.iterdir())
    sent: list[Message] = []
    parts: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"\0" * 100, "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(parts)

    async def send_(message: Message) -> None:
        sent.append(message)

    path = f"/adapters/{'0' * 64}"
    scope: Scope = {"type": "http", "method": "PUT", "path": path, "headers": [], "query_string": b"", "client": None}

    async def call() -> None:
        await service.client.app(scope, receive, send_)

    asyncio.run(call())
    assert sent[0]["status"] == 499
    assert sorted(folder.iterdir()) == before


def keep(files: AdapterFiles, data: bytes) -> None:
    upload = files.new()
    upload.add(data)
    assert upload.keep(name_of(data)) == len(data)
    upload.close()


def test_an_engine_without_adapters_refuses_them() -> None:
    with TestClient(create_app(ProcessEnginePool("painter"), Bounds(workers=0))) as client:
        service = Service(client)
        answer = service.post("/initiate_processing", prompt="x", adapters=[{"sha256": "0" * 64}])
        assert (answer.status_code, answer.json()["parameter"]) == (422, "adapters")
        assert service.client.put(f"/adapters/{'0' * 64}", content=b"").status_code in (404, 405)
