"""The command line: `counterstream COMMAND`. One small file a command; each imports what it needs when it runs."""

import os
import sys

INTERRUPTED = 130
_LESS = "Take a smaller batch or circuit: counterstream explain CIRCUIT says how much one takes"


def main() -> None:
    """Run the command line and leave with its exit code.

    An error that the user can mend has an `exit_code` of its own (2; 130 for Ctrl-C, 143 for SIGTERM) and is printed to
    stderr as it is; any other is a bug and keeps its traceback. torchrun, where it started this process, is told of
    either.
    """
    try:
        from .app import app

        app(prog_name="counterstream")
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # by Ctrl-C outside of a run, which says more itself
            print("interrupted", file=sys.stderr)
        raise
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:
        rank = os.environ.get("RANK", "0")
        code = getattr(error, "exit_code", None)
        if code is None and _is_of_memory(error):
            error, code = MemoryError(f"there is not enough memory ({error}). {_LESS}"), 2
        if rank != "0" and getattr(error, "on_every_rank", False):
            sys.exit(code)  # rank 0 says it
        if "TORCHELASTIC_ERROR_FILE" in os.environ:
            from ..engine.training import tell_torchrun

            tell_torchrun(error)
        if code is None:
            raise
        from ..circuits.characters import printable

        said = "\n".join(map(printable, str(error).split("\n")))
        print(said if rank == "0" else f"[rank {rank}] {said}", file=sys.stderr)
        sys.exit(code)


def _is_of_memory(error: Exception) -> bool:
    """Whether too little memory is what is wrong: Python and NumPy say so by kind, torch by kind or by text."""
    kind = type(error).__name__
    return isinstance(error, MemoryError) or kind == "OutOfMemoryError" or "can't allocate memory" in str(error)
