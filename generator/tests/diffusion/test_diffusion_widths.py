"""Which widths of a batch are used."""

import json
from pathlib import Path

import pytest
import torch

from generator.engines.diffusion.fixed_rows import FixedRowsLinear, fix_rows
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.widths import Widths, choose, from_record, measure


@pytest.mark.parametrize(
    ("seconds", "groups", "expected"),
    [
        # All agree: as wide as it pays.
        ({2: 1.0, 4: 1.4, 8: 2.0, 16: 3.0}, [[2, 4, 8, 16]], (2, 4, 8, 16)),
        # The widest take as long for each row as narrower ones.
        ({2: 1.0, 4: 1.4, 8: 2.8, 16: 5.6}, [[2, 4, 8, 16]], (2, 4)),
        # The narrowest agrees with none, and a single order may not take twice as long: one width, where it is free.
        ({1: 1.0, 2: 1.05, 4: 1.09, 8: 2.0}, [[1], [2, 8], [4]], (2, 8)),
        ({1: 1.0, 2: 1.9, 4: 2.0, 8: 2.1}, [[1], [2, 4, 8]], (1,)),
        ({2: 1.0, 4: 1.01, 8: 1.08, 16: 1.5}, [[2], [4], [8], [16]], (8,)),
        ({2: 1.0}, [[2]], (2,)),
    ],
)
def test_choice(seconds: dict[int, float], groups: list[list[int]], expected: tuple[int, ...]) -> None:
    assert choose(seconds, groups).rows == expected


def test_widths_that_do_not_agree_are_not_mixed() -> None:
    def network(rows: int) -> torch.Tensor:
        return torch.arange(rows * 4.0).reshape(rows, 1, 2, 2) + (0 if rows in (2, 8) else 1e-6 * rows)

    assert set(measure(network, 2, candidates=(2, 4, 6, 8)).rows) <= {2, 8}


def test_without_exactness_all_widths_are_used() -> None:
    def network(rows: int) -> torch.Tensor:
        return torch.full((rows, 1, 2, 2), float(rows))

    widths = measure(network, 2, exact=False, candidates=(2, 4, 8))
    assert widths.rows[0] == 2
    assert len(widths.rows) > 1


def test_measuring_ends_where_memory_does() -> None:
    def network(rows: int) -> torch.Tensor:
        if rows > 4:
            raise torch.OutOfMemoryError("out of memory")
        return torch.zeros(rows, 1, 2, 2)

    assert measure(network, 2).widest <= 4


def test_not_even_the_narrowest_fits() -> None:
    def network(rows: int) -> torch.Tensor:
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        measure(network, 2)


def test_fitting_and_halving() -> None:
    widths = Widths((2, 4, 8), (1.0, 1.5, 2.0))
    assert [widths.fit(rows) for rows in (1, 2, 3, 5, 8)] == [2, 2, 4, 8, 8]
    narrower = widths.halved()
    assert narrower is not None
    assert narrower.rows == (2, 4)
    assert Widths((2,), (1.0,)).halved() is None


def test_a_linear_layers_rows_do_not_depend_on_their_number() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(320, 1280)
    rows = torch.randn(37, 320)
    plain = layer(rows)
    fix_rows(layer)
    assert isinstance(layer, FixedRowsLinear)
    together = layer(rows)
    assert torch.allclose(together, plain, atol=1e-5)
    for count in (1, 2, 3, 7, 8, 9, 16, 37):
        assert torch.equal(layer(rows[:count]), together[:count])
        assert torch.equal(layer(rows[:count, None]), together[:count, None])
    assert layer(rows[None]).shape == (1, 37, 1280)


def test_the_record_survives_a_start_and_bad_files(tmp_path: Path) -> None:
    record = Record(tmp_path / "a" / "record.json")
    assert record.find("x") is None
    record.write("x", {"rows": [2, 4], "seconds": [1.0, 1.5]})
    record.write("y", 3.5)
    again = Record(record.path)
    assert from_record(again.find("x")) == Widths((2, 4), (1.0, 1.5))
    assert again.find("y") == 3.5
    for bad in ("", "[]", "{", json.dumps({"x": {"rows": []}}), json.dumps({"x": {"rows": [2], "seconds": []}})):
        record.path.write_text(bad)
        assert from_record(Record(record.path).find("x")) is None


def test_a_record_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Record(tmp_path / "file" / "record.json").write("x", 1)
