"""Which widths of a batch are used."""

import json
import time
from pathlib import Path

import pytest
import torch

from generator.engines.diffusion.fixed_rows import FixedRowsConv2d, FixedRowsLinear, fix_rows
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


class Clock:
    """The clock of this machine in a test: it goes on only where a network says that it took time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.busy = 1
        """How many programs share the processor."""
        monkeypatch.setattr(time, "thread_time", lambda: self.now / self.busy)
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_widths_that_do_not_agree_are_not_mixed(clock: Clock) -> None:
    def network(rows: int) -> torch.Tensor:
        clock.now += 0.01 + 0.001 * rows
        return torch.arange(rows * 4.0).reshape(rows, 1, 2, 2) + (0 if rows in (2, 8) else 1e-6 * rows)

    assert measure(network, 2, candidates=(2, 4, 6, 8)).rows == (2, 8)


def test_without_exactness_all_widths_are_used(clock: Clock) -> None:
    def network(rows: int) -> torch.Tensor:
        clock.now += 0.01 + 0.001 * rows
        return torch.full((rows, 1, 2, 2), float(rows))

    assert measure(network, 2, exact=False, candidates=(2, 4, 8)).rows == (2, 4, 8)


def test_measuring_ends_where_wider_batches_pay_no_more(clock: Clock) -> None:
    tried = []

    def network(rows: int) -> torch.Tensor:
        tried.append(rows)
        clock.now += 0.01 * max(rows, 8)  # no quicker for each row from 8 rows on
        return torch.zeros(rows, 1, 2, 2)

    assert measure(network, 2).rows == (2, 4, 6, 8)
    assert max(tried) == 16
    assert tried.count(2) == 4
    assert tried.count(16) == 4


def test_long_runs_are_timed_once(clock: Clock) -> None:
    tried = []

    def network(rows: int) -> torch.Tensor:
        tried.append(rows)
        clock.now += 0.5 + 0.1 * rows
        return torch.zeros(rows, 1, 2, 2)

    assert measure(network, 2).rows == (2, 4, 6)
    assert tried == [2, 2, 4, 4, 6, 6]


@pytest.mark.parametrize("agree", [True, False])
def test_on_a_busy_machine_times_do_not_decide(clock: Clock, agree: bool) -> None:
    clock.busy, tried = 10, []

    def network(rows: int) -> torch.Tensor:
        tried.append(rows)
        clock.now += 0.1 * rows  # as if wider batches were of no use
        return torch.full((rows, 1, 2, 2), 0.0 if agree else float(rows))

    widths = measure(network, 2)
    assert tried == [2, 2, 2, 2, 4, 6, 8, 12, 16, 24, 32]
    assert widths.rows == ((2, 4, 6, 8, 12, 16, 24, 32) if agree else (2,))
    assert widths.settled is not agree


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


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2)])
def test_a_convolutions_rows_do_not_depend_on_their_number(threads: int, kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(64, 96, kernel, stride, kernel // 2)
    rows = torch.randn(20, 64, 8, 8)
    plain = layer(rows)
    fix_rows(layer)
    assert isinstance(layer, FixedRowsConv2d)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = layer(rows)
        assert torch.allclose(together, plain, atol=1e-5)
        for count in (1, 2, 3, 8, 15, 16, 20):
            assert torch.equal(layer(rows[:count]), together[:count])
    finally:
        torch.set_num_threads(before)


def test_the_record_survives_a_start_and_bad_files(tmp_path: Path) -> None:
    record = Record(tmp_path / "a" / "record.json")
    assert record.find("x") is None
    record.write("x", {"rows": [2, 4], "seconds": [1.0, 1.5]})
    record.write("y", 3.5)
    again = Record(record.path)
    assert from_record(again.find("x"), 2) == Widths((2, 4), (1.0, 1.5))
    assert again.find("y") == 3.5
    for bad in ("", "[]", "{", "[" * 100_000, json.dumps({"x": {"rows": []}})):
        record.path.write_text(bad)
        assert from_record(Record(record.path).find("x"), 2) is None


@pytest.mark.parametrize("rows", [[], [1], [1, 2], [4, 2], [2, 2], [3], [2, 10**12], [-2], ["2"], [[2]], [2.5], [None]])
def test_widths_that_were_never_measured_are_not_taken(rows: list[object]) -> None:
    assert from_record({"rows": rows, "seconds": [1.0] * len(rows)}, 2) is None


def test_widths_without_their_times_are_not_taken() -> None:
    for seconds in ([], [1.0], ["1", "2"], [None, 1.0]):
        assert from_record({"rows": [2, 4], "seconds": seconds}, 2) is None


def test_a_record_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Record(tmp_path / "file" / "record.json").write("x", 1)
