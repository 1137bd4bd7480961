"""Numbers with decimal prefixes, as people say them."""

PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def quantity(number: float) -> str:
    """Three figures and a prefix, with the space before a unit; whole numbers below a thousand stand as they are.

    >>> [quantity(n) for n in (640, 7, 0.5, 12_000, 4_089_184_256, 999_999)]
    ['640 ', '7 ', '0.500 ', '12.0 k', '4.09 G', '1.00 M']
    """
    scaled, steps = float(number), 0
    while abs(scaled) >= 999.5 and steps < len(PREFIXES) - 1:
        scaled, steps = scaled / 1000, steps + 1
    is_whole = steps == 0 and scaled.is_integer()
    digits = f"{scaled:.0f}" if is_whole or abs(scaled) >= 999.5 else f"{scaled:#.3g}".rstrip(".")
    return f"{digits} {PREFIXES[steps]}"
