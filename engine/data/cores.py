"""How many processes to share work among."""

import os

MOST = 32
"""More than a GPU's training can use. Each keeps batches ready, in shared memory and in open files, of which a process
may have 1,024.
"""


def cores() -> int:
    """The processors that this process may use, which in a container or a job are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def readers() -> int:
    """A process a core to read data, shared among the ranks that torchrun started on this machine; at most MOST."""
    return min(MOST, max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
