"""The step loop: one thread that takes one step of many orders at a time.

Orders join and leave between steps. Each has a scheduler, a seed, a guidance scale and prompts of its own; only the
network is shared, and its rows do not depend on each other (see `widths`).
"""

import logging
import threading
from collections.abc import Callable
from functools import partial

import torch

from generator.engines.diffusion.adapters import Adapters
from generator.engines.diffusion.fixed_rows import VERSION
from generator.engines.diffusion.loading import Model
from generator.engines.diffusion.networks import Inputs, controlnet_sample, predict, residuals_of, unet_sample
from generator.engines.diffusion.orders import Bucket, Conditions, Order, Progress, Steering
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.widths import CANDIDATES, Widths, WidthsByBucket, processor

log = logging.getLogger("easel.generator")

_REPORT_S = 0.5
"""How often a waiting order asks whether it is still wanted while a step takes long."""


class OutOfMemory(Exception):
    """Not even the narrowest batch fits into the memory."""


class StepLoop:
    """Runs orders; `run` is for any thread."""

    def __init__(self, model: Model, adapters: Adapters, record: Record, exact: bool) -> None:
        self._model = model
        self._adapters = adapters
        profile = "/".join(map(str, (*profile_key(model), exact)))
        self.widths = WidthsByBucket(record, f"{model.key}/{profile}", exact, partial(unet_sample, model))
        control = f"{model.key}+{model.controlnet.key if model.controlnet else ''}/{profile}"
        self.control_widths = WidthsByBucket(record, control, exact, partial(controlnet_sample, model))
        self._lock = threading.Condition()
        self._orders: list[Order] = []
        self._turn = 0
        threading.Thread(target=self._work, name="diffusion-loop", daemon=True).start()

    def run(self, order: Order, progress: Progress) -> torch.Tensor:
        """Wait for all steps of an order and return its latents. Exceptions of `progress` cancel it and pass."""
        with self._lock:
            order.due = self._turn + len(order.run.timesteps)
            self._orders.append(order)
            self._lock.notify()
        known = 0
        try:
            while not order.finished:
                order.wait(known, _REPORT_S)
                known = order.done
                progress(known, order)
        finally:
            order.cancelled = True
        return order.latents

    def _work(self) -> None:
        with torch.inference_mode():
            while True:
                orders = self._next()
                try:
                    widths = self.widths[orders[0].bucket]
                    orders = _first_rows(orders, widths.widest)
                    self._step(orders, widths)
                except Exception as error:  # the loop must survive the orders
                    if is_out_of_memory(error):
                        self._narrow(orders, error)
                    else:
                        _fail(orders, error)

    def _next(self) -> list[Order]:
        """Wait for orders and return those that may share the next step: of the buckets in turn, those due first."""
        with self._lock:
            self._let_go()
            while not self._orders:
                self._lock.wait()
                self._let_go()
            buckets = list(dict.fromkeys(order.bucket for order in self._orders))
            bucket = buckets[self._turn % len(buckets)]
            self._turn += 1
            return sorted((one for one in self._orders if one.bucket == bucket), key=lambda one: one.due)

    def _let_go(self) -> None:
        """Forget the orders that are finished, failed or cancelled; the caller holds the lock."""
        self._orders = [one for one in self._orders if not (one.finished or one.cancelled or one.error)]

    def _step(self, orders: list[Order], widths: Widths) -> None:
        rows = sum(order.conditions.rows for order in orders)
        output = self._predict(orders, widths.fit(rows))
        begin = 0
        for order in orders:
            end = begin + order.conditions.rows
            try:
                order.advance(output[begin:end])
            except Exception as error:  # one order's fault is not the others'
                order.tell(error=error)
            begin = end

    def _predict(self, orders: list[Order], width: int) -> torch.Tensor:
        """Return the network's output for the rows of all orders, of which the batch is filled up to a width."""
        parts = [order.conditions for order in orders]
        times = [order.run.timesteps[order.done].float().expand(order.conditions.rows) for order in orders]
        adapters = [part.adapters for part in parts for _ in range(part.rows)]
        latents = _filled([order.input() for order in orders], width).to(self._model.dtype)
        inputs = Inputs(latents, _filled(times, width), joined(parts, width))
        steered = _steered(orders)
        residuals = None
        if steered:
            residuals = residuals_of(self._model, inputs, steered, self.control_widths[orders[0].bucket])
        with self._adapters.chosen(adapters + [()] * (width - len(adapters))):
            return predict(self._model, inputs, residuals)

    def _narrow(self, orders: list[Order], error: Exception) -> None:
        """Use narrower batches from now on, because the memory was exhausted."""
        known = self.widths.get(orders[0].bucket)
        narrower = known.halved() if known else None
        control = self.control_widths.get(orders[0].bucket)
        if control is not None:
            self.control_widths[orders[0].bucket] = control.halved() or control
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        if narrower is None:
            log.warning("no memory for a single picture of this size")
            _fail(orders, OutOfMemory(str(error)))
        else:
            log.warning("no memory for so many rows; using %d", narrower.widest)
            self.widths[orders[0].bucket] = narrower

    def prepare(self, bucket: Bucket) -> None:
        """Measure the widths of the model's own size before it is needed."""
        with torch.inference_mode():
            self.widths.measure(bucket, CANDIDATES)
            if self._model.controlnet is not None:
                self.control_widths.measure(bucket, CANDIDATES)


def profile_key(model: Model) -> tuple[str, ...]:
    """Return what else than the model decides which kernels are used."""
    device = processor() if model.device.type == "cpu" else model.info.device
    return device, model.info.precision, torch.__version__, str(torch.get_num_threads()), f"layers {VERSION}"


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory is exhausted; on a CPU it has no type of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


def _fail(orders: list[Order], error: Exception) -> None:
    for order in orders:
        order.tell(error=error)


def _first_rows(orders: list[Order], most: int) -> list[Order]:
    """Return the first orders that fit into so many rows."""
    chosen: list[Order] = []
    rows = 0
    for order in orders:
        rows += order.conditions.rows
        if rows > most:
            break
        chosen.append(order)
    return chosen


def _steered(orders: list[Order]) -> dict[int, Steering]:
    """Return what steers each row of a batch that has a control picture."""
    rows = [order.steering for order in orders for _ in range(order.conditions.rows)]
    return {row: steering for row, steering in enumerate(rows) if steering is not None}


def _filled(parts: list[torch.Tensor], width: int) -> torch.Tensor:
    """Join rows and repeat the last one up to a width."""
    joined = torch.cat(parts)
    missing = width - len(joined)
    return torch.cat([joined, joined[-1:].expand(missing, *joined.shape[1:])]) if missing else joined


def joined(parts: list[Conditions], width: int) -> Conditions:
    """Join the rows of conditions and repeat the last one up to a width."""

    def join(rows: Callable[[Conditions], torch.Tensor | None]) -> torch.Tensor | None:
        found = [one for one in map(rows, parts) if one is not None]
        return _filled(found, width) if found else None

    return Conditions(
        _filled([part.prompts for part in parts], width),
        join(lambda part: part.wholes),
        join(lambda part: part.sizes),
        join(lambda part: part.guidance),
    )
