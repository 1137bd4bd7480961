"""What users see when a recording cannot be analyzed."""


class AnalysisError(Exception):
    """A file that is no readable recording, or a question it holds no answer to; the text says what to do."""

    exit_code = 2
