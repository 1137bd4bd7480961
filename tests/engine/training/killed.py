"""`counterstream`, of which one process comes to an end, once in each run: after step STEP, on rank RANK.

python -m tests.engine.training.killed HOW MARKS STEP RANK run EXPERIMENT.yaml ...

HOW: `kill`, by SIGKILL; `raise`, by an error; `stop`, by SIGTERM. MARKS: a folder that remembers which runs had theirs.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from counterstream.cli import main
from counterstream.engine.training.loop import Training


def dying(how: str, marks: Path, step: int, rank: str) -> None:
    train = Training._train

    def train_and_die(self: Training, *given: Any) -> Any:
        word = train(self, *given)
        mark = marks / f"{self.run_name}"
        if self.step == step and os.environ.get("RANK", "0") == rank and not mark.exists():
            mark.touch()
            if how == "raise":
                raise RuntimeError(f"rank {rank} has had enough")
            time.sleep(0.5)  # the last checkpoint may be on its way to the disk
            os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGTERM)
        return word

    Training._train = train_and_die  # type: ignore[method-assign]


if __name__ == "__main__":
    how, marks, step, rank = sys.argv[1:5]
    sys.argv[1:5] = []
    dying(how, Path(marks), int(step), rank)
    main()
