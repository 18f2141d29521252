"""The ZIP files made by the site, read by an independent reader."""

import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "make_zip.mjs"


def test_python_reads_the_exact_bytes_and_names(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    files = {
        "a lighthouse.png": random.Random(1).randbytes(3_000_001),
        "маяк (2).png": random.Random(2).randbytes(70_000),
        "🏠.webp": b"",
        "zeros.jpg": bytes(200_000),
    }
    folder, archive = tmp_path / "files", tmp_path / "all.zip"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    subprocess.run([node, str(SCRIPT), str(folder), str(archive)], check=True, timeout=60)
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files
        for entry in opened.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.date_time == (2026, 3, 4, 5, 6, 8)
            assert entry.external_attr >> 16 == 0o100644
            assert entry.flag_bits & 0x800
