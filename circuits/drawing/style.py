"""Colors and sizes of the picture. Colors are named by what they say, and have a light and a dark form.

Red is kept for weight transport. Rules have colors after Okabe and Ito, which all kinds of color vision tell apart, and
letters beside them.
"""

RULE_COLORS = tuple(f"rule{index}" for index in range(6))

COLORS: dict[str, tuple[str, str]] = {
    "page": ("#ffffff", "#14171c"),
    "ink": ("#1c2430", "#e8ebf0"),
    "muted": ("#5d6877", "#a0abb9"),
    "on_mark": ("#ffffff", "#10131a"),
    "plain": ("#8591a1", "#7a8697"),
    "fixed": ("#5d6877", "#a0abb9"),
    "transport": ("#d1101d", "#ff5c5c"),
    "forward": ("#3f6ea3", "#7fb0e6"),
    "forward_fill": ("#eaf1f9", "#1d2b3c"),
    "feedback": ("#94692a", "#dcb173"),
    "feedback_fill": ("#fbf3e4", "#35291a"),
    "block": ("#c6ced8", "#3a434f"),
    "block_fill": ("#f6f7f9", "#1a1e25"),
    "rule0": ("#00795a", "#3ecfa4"),
    "rule1": ("#7b3fb5", "#c79bf2"),
    "rule2": ("#005fa3", "#5cb3f0"),
    "rule3": ("#8a6d00", "#e6c84a"),
    "rule4": ("#a8447f", "#f09bc8"),
    "rule5": ("#3d4a57", "#c3ccd6"),
}
"""Role -> (light, dark)."""

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

TITLE, NAME, BODY, LABEL, SMALL = 19.0, 12.5, 11.0, 10.5, 9.0
"""Sizes of text, in pixels."""
