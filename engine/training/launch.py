"""Who this process is: alone, or one of those that torchrun started to carry out one experiment together."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from ...circuits.errors import CounterstreamError
from ..errors import RanksError
from .company import ALONE, Company
from .errors import ExperimentError
from .experiment import Experiment

ATTEMPT = "TORCHELASTIC_RESTART_COUNT"
PATIENCE = timedelta(minutes=10)
"""How long a rank waits for the others before it gives up. Longer than a compilation or an epoch's end takes."""


def restarted() -> bool:
    """Whether torchrun started this process anew after one of the ranks had failed."""
    return int(os.environ.get(ATTEMPT, "0")) > 0


@contextmanager
def company_of(experiment: Experiment) -> Iterator[Company]:
    """The processes that torchrun's environment names, joined in a process group: NCCL for what is on GPUs, else Gloo.

    Alone where there is no such environment, or one process in it. Raises RanksError where they do not come together.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    import torch
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    from ..ranks import Ranks

    device = _device(experiment, int(os.environ.get("LOCAL_RANK", "0")))
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if on_gpu else "gloo"
    try:
        store, rank, size = next(rendezvous("env://", timeout=PATIENCE))
        # torchrun's store outlives restarts: without names of its own an attempt may read where dead ranks listened.
        own = PrefixStore(f"{os.environ.get(ATTEMPT, '0')} of {size}", store)
        distributed.init_process_group(backend, store=own, rank=rank, world_size=size, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise RanksError(
            f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']} cannot join the others "
            f"({str(error).strip().splitlines()[0]}). Start the processes with torchrun"
        ) from error
    yield Company(Ranks(synchronise=experiment.ranks.normalize == "shared"), device)
    distributed.destroy_process_group()  # after an error the others may never come to it


def tell_torchrun(error: Exception) -> None:
    """Leave the error where torchrun, which started this process, looks for it: it then names the rank that failed
    first, and why. One that the user can mend stands there as it is, without the calls that led to it.
    """
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    if not isinstance(error, CounterstreamError):
        get_error_handler().record_exception(error)
        return
    said = {"py_callstack": f"{error}", "timestamp": str(int(time.time()))}
    content = {"message": {"message": f"{error}", "extraInfo": said}}
    Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps(content), encoding="utf-8")


def _device(experiment: Experiment, local_rank: int) -> str:
    """Every process of a machine has a GPU of its own."""
    import torch

    if re.fullmatch(r"cuda:\d+", experiment.device):
        message = f"must be cpu, cuda or auto where several processes share a model (got {experiment.device})"
        raise ExperimentError(experiment.placed(message, "device"))
    wanted = experiment.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and local_rank >= torch.cuda.device_count():
        message = (
            f"there must be a GPU for each process of this machine (got {torch.cuda.device_count()}, and a process "
            f"number {local_rank + 1}). Start fewer with torchrun --nproc-per-node"
        )
        raise ExperimentError(experiment.placed(message, "device"))
    return f"cuda:{local_rank}" if wanted == "cuda" else wanted
