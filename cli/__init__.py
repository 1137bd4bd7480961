"""The command line: `counterstream COMMAND`. One small file a command; each imports what it needs when it runs."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code.

    An error that the user can mend has an `exit_code` of its own (2; 130 for Ctrl-C) and is printed to stderr
    as it is; any other is a bug and keeps its traceback.
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
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        print(error, file=sys.stderr)
        sys.exit(code)
