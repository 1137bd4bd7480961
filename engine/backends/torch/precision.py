"""Number formats: in which one each value of a program lies, and in which one each operation takes its operands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch

from ...compiler.program import Program, Value

_CONTRACTIONS = frozenset({"project", "project_back", "correlate"})
_NORMALIZING = frozenset({"normalize", "normalize_fixed", "normalize_back"})
_ELEMENTWISE = frozenset({"add", "multiply", "divide", "scale", "shift", "power", "function"})
# They need all digits there are: differences of probabilities, logarithms, lengths.
_WIDE = frozenset({"error", "loss", "norm", "angle"})
# They take any format, and widen within one call where that counts.
_ANY = frozenset({"part", "accuracy", "batch_mean", "standardize", "ones", "one_hot"})


@dataclass(frozen=True)
class Precision:
    """A pair of formats.

    `compute` is that of batched activity and errors, and of the copies of weights that meet them: one copy a weight and
    program, however often it is read. `master` is that of everything else: what comes from outside, weights and traces,
    drives, statistics, losses. Sums over samples and positions are taken in `master`, with one exception: torch's
    kernels add up the correlations of bfloat16 wirings in float32 but hand the sum out in bfloat16, rounded once.
    With `tf32`, CUDA rounds the operands of float32 products to 10 bits.
    """

    compute: torch.dtype
    master: torch.dtype
    tf32: bool = False

    def formats(self, program: Program) -> tuple[torch.dtype, ...]:
        """The format of each value. What is made elementwise of inputs alone stays in `master`: noise is compared with
        a threshold (who drops out) as exactly as it was drawn."""
        found: list[torch.dtype] = []
        for value in program:
            if value.operation == "input":
                found.append(torch.int64 if value["dtype"] == "int" else self.master)
                continue
            is_narrow = value.batched
            if value.operation in _ELEMENTWISE:
                is_narrow = self.compute in {found[i] for i in value.inputs if program.values[i].batched}
            found.append(self.compute if is_narrow else self.master)
        return tuple(found)

    def wanted(self, value: Value, result: torch.dtype, operand: Value, own: torch.dtype) -> torch.dtype:
        """The format in which `value`, lying in `result`, takes an operand that lies in `own`."""
        meets_anything = operand.shape == () and not operand.batched
        stays = value.operation in _ANY or (value.operation in _NORMALIZING and not operand.batched)
        if own == torch.int64 or meets_anything or stays:
            return own
        if value.operation in _WIDE:
            return self.master
        return self.compute if value.operation in _CONTRACTIONS else result


PRECISIONS = MappingProxyType(
    {
        "float32": Precision(torch.float32, torch.float32),
        "float64": Precision(torch.float64, torch.float64),
        "bfloat16": Precision(torch.bfloat16, torch.float32),
        "tf32": Precision(torch.float32, torch.float32, tf32=True),
    }
)


@contextmanager
def products_in_tf32(wanted: bool) -> Iterator[None]:
    """CUDA's float32 products with or without TF32, whatever the process has settled; afterwards as before.

    The legacy switches are set, since they keep torch's two generations of settings in agreement, which torch.compile
    asks for; the newer ones are put back too, since the legacy ones know no "none".
    """
    backends: Any = torch.backends  # torch's stubs know half of it
    products, convolutions = backends.cuda.matmul, backends.cudnn.conv
    before = products.fp32_precision, convolutions.fp32_precision
    if before == (("tf32", "tf32") if wanted else ("ieee", "ieee")):
        yield
        return
    _set_tf32(wanted, wanted)
    try:
        yield
    finally:
        _set_tf32(*(name == "tf32" for name in before))
        products.fp32_precision, convolutions.fp32_precision = before


def _set_tf32(products: bool, convolutions: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions
