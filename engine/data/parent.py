"""The process that started this one: workers end with it, however it ends."""

import multiprocessing
import os
import threading


def end_with_the_parent() -> None:
    """From now on end this process when the one that started it is gone, by SIGKILL or anything else: a worker that
    waits for work would wait for ever. It is Python's parent that counts, which behind a fork server is not the
    system's.
    """
    threading.Thread(target=_follow, name="counterstream parent", daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # hears of another's end through a pipe
        os._exit(1)
