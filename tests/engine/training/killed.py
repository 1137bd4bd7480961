"""`counterstream`, of which one process dies by SIGKILL, once in each run: after step STEP, on rank RANK.

python -m tests.engine.training.killed MARKS STEP RANK run EXPERIMENT.yaml ...
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from counterstream.cli import main
from counterstream.engine.training.loop import Training


def dying(marks: Path, step: int, rank: str) -> None:
    """A mark for each run that died says that it is not to die again."""
    train = Training._train

    def train_and_die(self: Training, *given: Any) -> Any:
        word = train(self, *given)
        mark = marks / f"{self.run_name}"
        if self.step == step and os.environ.get("RANK", "0") == rank and not mark.exists():
            mark.touch()
            time.sleep(0.5)  # the last checkpoint may be on its way to the disk
            os.kill(os.getpid(), signal.SIGKILL)
        return word

    Training._train = train_and_die  # type: ignore[method-assign]


if __name__ == "__main__":
    marks, step, rank = sys.argv[1:4]
    sys.argv[1:4] = []
    dying(Path(marks), int(step), rank)
    main()
