"""The step loop: one thread that takes one step of many orders at a time.

Orders join and leave between steps. Each has a scheduler, a seed, a guidance scale and prompts of its own; only the
network is shared, and its rows do not depend on each other (see `widths`).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import count

import torch

from generator.engines.diffusion.adapters import Adapters
from generator.engines.diffusion.loading import Model
from generator.engines.diffusion.orders import Bucket, Conditions, Order, Progress
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.widths import CANDIDATES, FEW_CANDIDATES, Widths, from_record, measure

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
        self._record = record
        self._exact = exact
        self.widths: dict[Bucket, Widths] = {}
        self._lock = threading.Condition()
        self._orders: list[Order] = []
        self._turn = count()
        threading.Thread(target=self._work, name="diffusion-loop", daemon=True).start()

    def run(self, order: Order, progress: Progress) -> torch.Tensor:
        """Wait for all steps of an order and return its latents. Exceptions of `progress` cancel it and pass."""
        with self._lock:
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
                    widths = self._widths_of(orders[0].bucket)
                    orders = _first_rows(orders, widths.widest)
                    self._step(orders, widths)
                except Exception as error:  # the loop must survive the orders
                    if is_out_of_memory(error):
                        self._narrow(orders, error)
                    else:
                        _fail(orders, error)

    def _next(self) -> list[Order]:
        """Wait for orders and return those that may share the next step: of the buckets in turn, the oldest first."""
        with self._lock:
            self._let_go()
            while not self._orders:
                self._lock.wait()
                self._let_go()
            buckets = list(dict.fromkeys(order.bucket for order in self._orders))
            bucket = buckets[next(self._turn) % len(buckets)]
            return [order for order in self._orders if order.bucket == bucket]

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
        with self._adapters.chosen(adapters + [()] * (width - len(adapters))):
            return call(
                self._model,
                _filled([order.input() for order in orders], width).to(self._model.dtype),
                _filled(times, width),
                _joined(parts, width),
            )

    def _narrow(self, orders: list[Order], error: Exception) -> None:
        """Use narrower batches from now on, because the memory was exhausted."""
        known = self.widths.get(orders[0].bucket)
        narrower = known.halved() if known else None
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        if narrower is None:
            log.warning("no memory for a single picture of this size")
            _fail(orders, OutOfMemory(str(error)))
        else:
            log.warning("no memory for so many rows; using %d", narrower.widest)
            self.widths[orders[0].bucket] = narrower

    def prepare(self, bucket: Bucket) -> Widths:
        """Measure the widths of the model's own size before it is needed."""
        with torch.inference_mode():
            return self._widths_of(bucket, CANDIDATES)

    def _widths_of(self, bucket: Bucket, candidates: Sequence[int] = FEW_CANDIDATES) -> Widths:
        if bucket not in self.widths:
            key = "/".join(map(str, (self._model.key, *profile_key(self._model), self._exact, *bucket)))
            found = from_record(self._record.find(key))
            if found is None:
                found = measure(_sample_network(self._model, bucket), bucket.rows, self._exact, candidates)
                self._record.write(key, asdict(found))
            log.info("%s: widths %s", bucket, found.rows)
            self.widths[bucket] = found
        return self.widths[bucket]


def profile_key(model: Model) -> tuple[str, ...]:
    """Return what else than the model decides which kernels are used."""
    return model.info.device, model.info.precision, torch.__version__, str(torch.get_num_threads())


def call(model: Model, latents: torch.Tensor, times: torch.Tensor, conditions: Conditions) -> torch.Tensor:
    """Return the network's prediction for each row."""
    added = None
    if conditions.wholes is not None:
        added = {"text_embeds": conditions.wholes, "time_ids": conditions.sizes}
    return model.unet(
        latents,
        times,
        encoder_hidden_states=conditions.prompts,
        timestep_cond=conditions.guidance,
        added_cond_kwargs=added,
        return_dict=False,
    )[0]


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory is exhausted; on a CPU it has no type of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


def _fail(orders: list[Order], error: Exception) -> None:
    for order in orders:
        order.tell(error=error)


def _first_rows(orders: list[Order], most: int) -> list[Order]:
    """Return the oldest orders that fit into so many rows."""
    chosen: list[Order] = []
    rows = 0
    for order in orders:
        rows += order.conditions.rows
        if rows > most:
            break
        chosen.append(order)
    return chosen


def _filled(parts: list[torch.Tensor], width: int) -> torch.Tensor:
    """Join rows and repeat the last one up to a width."""
    joined = torch.cat(parts)
    missing = width - len(joined)
    return torch.cat([joined, joined[-1:].expand(missing, *joined.shape[1:])]) if missing else joined


def _joined(parts: list[Conditions], width: int) -> Conditions:
    def join(rows: Callable[[Conditions], torch.Tensor | None]) -> torch.Tensor | None:
        found = [one for one in map(rows, parts) if one is not None]
        return _filled(found, width) if found else None

    return Conditions(
        _filled([part.prompts for part in parts], width),
        join(lambda part: part.wholes),
        join(lambda part: part.sizes),
        join(lambda part: part.guidance),
    )


def _sample_network(model: Model, bucket: Bucket) -> Callable[[int], torch.Tensor]:
    """Return the network on random rows of a size, for measuring."""
    generator = torch.Generator().manual_seed(0)
    config = model.unet.config

    def rows(*shape: int) -> torch.Tensor:
        return torch.randn(64, *shape, generator=generator).to(model.device, model.dtype)

    latents = rows(config.in_channels, bucket.height, bucket.width)
    times = torch.linspace(1, 900, 64).to(model.device)
    prompts = rows(bucket.length, config.cross_attention_dim)
    large = model.large
    wholes = rows(model.text_encoders[-1].network.config.projection_dim) if large else None
    sizes = torch.full((64, 6), 512.0).to(model.device, model.dtype) if large else None
    guidance = rows(config.time_cond_proj_dim) if model.guides_by_input else None

    def run(count: int) -> torch.Tensor:
        def first(tensor: torch.Tensor | None) -> torch.Tensor | None:
            return None if tensor is None else tensor[:count]

        conditions = Conditions(prompts[:count], first(wholes), first(sizes), first(guidance))
        return call(model, latents[:count], times[:count], conditions)

    return run
