"""What users see when a recording cannot be analyzed."""

from .printable import printable


class AnalysisError(Exception):
    """A file that is no readable recording, or a question it holds no answer to; the text says what to do."""

    exit_code = 2


class DamagedRecording(AnalysisError):
    """An object of a recording is not what the format says: `place` in the file, and `what` must hold (got what)."""

    def __init__(self, file: object, place: str, what: str):
        super().__init__(printable(f"{file}: {place}: {what}. The recording is damaged, or was made by other means"))
        self.place = place
        self.what = what


class Damage(Exception):
    """What an object of a file must be and is not, before it is known which file: `Store` adds path and place."""
