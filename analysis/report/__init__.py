"""The report on recorded runs: one self-contained HTML page.

    from counterstream.analysis.report import page
    Path("report.html").write_text(page([Run.open(path) for path in paths]), encoding="utf-8")

The command `counterstream report` adds what the recordings alone cannot tell: drawings and proofs of their circuits.
"""

from .page import page
from .portrait import Portrait

__all__ = ["Portrait", "page"]
