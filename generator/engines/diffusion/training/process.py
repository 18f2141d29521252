"""The process of a training: what it may take of the machine.

Settings are environment variables: EASEL_TRAIN_THREADS (half of the cores by default) and EASEL_TRAIN_MEMORY_MB (three
quarters of the memory; without a GPU only).
"""

import os
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.engines.diffusion.training.trainer import LoraTrainer

NICE = 10

_MIB = 1024**2


def start() -> "LoraTrainer":
    """Limit this process and return the trainer; libraries are loaded only when it is used."""
    os.nice(NICE)
    # A process that crashes must not leave the photos on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OMP_NUM_THREADS"] = str(threads())
    from generator.engines.diffusion.training.trainer import LoraTrainer

    return LoraTrainer(memory_bytes())


def threads() -> int:
    """Return how many threads a training uses."""
    return int(os.environ.get("EASEL_TRAIN_THREADS") or max(1, (os.cpu_count() or 1) // 2))


def memory_bytes() -> int:
    """Return how much memory a training may take."""
    megabytes = os.environ.get("EASEL_TRAIN_MEMORY_MB")
    return int(megabytes) * _MIB if megabytes else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4


def limit_memory(most_bytes: int) -> None:
    """Let the kernel refuse this process more private memory than that.

    RLIMIT_AS would also count the libraries and what is only reserved, several gigabytes with torch.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
