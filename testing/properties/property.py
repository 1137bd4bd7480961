"""What a property is to the laboratory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ...circuits.declarations import Claim
from ...circuits.declarations.claims import PROPERTIES
from ..counterexample import Counterexample


@dataclass(frozen=True, kw_only=True)
class Property:
    """A named property: the function that checks it on one example, and where examples come from.

    `check(tested, example, claim)` gives a counterexample or None; its name is the property's, and its docstring begins
    with the formula. `tested` is a rule (`Synapses`) where the property is `of` rules, else the whole `Subject`.
    Examples are dataclasses of plain numbers, of the type `example`, so that one can be printed, and tried again.
    """

    check: Callable[[Any, Any, Any], Counterexample | None]
    of: Literal["rule", "system"]
    example: type[Any]
    draw: Callable[[Any, Any, int], Any]
    """(tested, claim, size) -> the strategy of examples; `size` 1, 2, 3: how large they may be, the smallest first."""
    misfit: Callable[[Any, Any], str] = lambda tested, claim: ""
    """(tested, claim) -> why the property does not apply; empty where it does."""
    remark: Callable[[Any, Any], str] = lambda tested, claim: ""
    """(tested, claim) -> what to add to a pass, such as what was left out."""
    share: int = 1
    """It gets one in so many of the examples that are asked for: more where an example takes long."""

    @property
    def name(self) -> str:
        return self.check.__name__

    @property
    def formula(self) -> str:
        """What must hold, in one line."""
        return (self.check.__doc__ or "").strip().partition("\n")[0]

    @property
    def claim(self) -> type[Claim]:
        """What a claim of it may say."""
        return PROPERTIES[self.name]
