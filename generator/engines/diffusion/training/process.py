"""The process of a training: what it may take of the machine.

Settings are environment variables: EASEL_TRAIN_NICE, EASEL_TRAIN_THREADS (half of the cores by default) and
EASEL_TRAIN_MEMORY_MB (three quarters of the memory; without a GPU only), see `settings`.
"""

import os
import resource
from typing import TYPE_CHECKING

from generator.engines.diffusion.settings import train_memory_bytes, train_nice, train_threads

if TYPE_CHECKING:
    from generator.engines.diffusion.training.trainer import LoraTrainer


def start() -> "LoraTrainer":
    """Limit this process and return the trainer; libraries are loaded only when it is used."""
    os.nice(train_nice())
    # A process that crashes must not leave the photos on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["OMP_NUM_THREADS"] = str(train_threads())
    from generator.engines.diffusion.training.trainer import LoraTrainer

    return LoraTrainer(train_memory_bytes())


def limit_memory(most_bytes: int) -> None:
    """Let the kernel refuse this process more private memory than that.

    RLIMIT_AS would also count the libraries and what is only reserved, several gigabytes with torch.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
