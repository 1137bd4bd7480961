"""What a circuit costs, on the screen: totals, tables by kind of operation, and the programs value by value."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .quantities import quantity

if TYPE_CHECKING:
    from rich.table import Table

    from ..engine.compiler.circuit_cost import CircuitCost, ModeCost
    from ..engine.compiler.cost import Cost
    from ..engine.compiler.program_cost import OperationCost

SMALL = 0.02
"""Operations below this share of multiply-adds and of bytes are shown together."""
DETAILS = ("function", "name", "loss", "index", "factor", "amount", "exponent", "positions", "kind")
"""Attributes that tell operations of one kind apart."""


def print_totals(title: str, cost: "CircuitCost", wanted: "Sequence[ModeCost]") -> None:
    """Parameters, state, and one line for each mode."""
    from .console import console

    screen = console()
    for line in (title, *_parameters(cost), _state(cost)):
        screen.print(line, soft_wrap=True)
    screen.print(_totals(cost, wanted))


def print_modes(modes: "Sequence[ModeCost]", *, operations: bool) -> None:
    """A table for each mode, with `operations` its programs too."""
    from .console import console

    screen = console()
    for mode in modes:
        screen.print(f"{_step(mode)}, by kind of operation", soft_wrap=True)
        screen.print(_by_operation(mode))
        for line in _programs(mode) if operations else ():
            screen.print(line, soft_wrap=True)


def _step(mode: "ModeCost") -> str:
    each = "one step" if len(mode.steps) == 1 else f"one round of {len(mode.steps)} turns"
    return f"{mode.name}, {each}" + (": observe and consolidate" if len(mode.programs) > 1 else "")


def _parameters(cost: "CircuitCost") -> Iterator[str]:
    found = cost.parameters
    parts = {"weights": found.weights, "gains": found.gains, "biases": found.biases}
    listed = ", ".join(f"{number:,} {what}" for what, number in parts.items() if number)
    yield f"parameters  {found.forward:,} forward: {listed}"
    if found.feedback:
        yield f"            {found.feedback:,} feedback: weights of their own"
    if found.tied:
        yield f"            {found.tied:,} feedback synapses take their weights from others"


def _state(cost: "CircuitCost") -> str:
    listed = ", ".join(f"{kind} {quantity(number)}B" for kind, number in cost.state.items())
    return f"state       {quantity(sum(cost.state.values()))}B: {listed}"


def _totals(cost: "CircuitCost", wanted: "Sequence[ModeCost]") -> "Table":
    from .report import table_of

    headings = (
        "mode",
        "multiply-adds\na sample",
        "\na step",
        "flops\na step",
        "bytes moved\na step",
        "memory\nat most",
        "",
    )
    rows = []
    for mode in wanted:
        found = mode.total
        each = "-" if mode.isolates else quantity(found.multiply_adds / mode.batch)
        row = (mode.name, each, quantity(found.multiply_adds), quantity(found.flops))
        rows.append((*row, f"{quantity(found.moved)}B", f"{quantity(mode.memory)}B", _compared(cost, mode)))
    return table_of(headings, rows)


def _compared(cost: "CircuitCost", mode: "ModeCost") -> str:
    """A mode in words of another: data modes of the forward pass, mirrors of a step with data."""
    from ..engine.compiler.circuit_cost import PREDICT

    if mode.name == PREDICT:
        return "the forward pass"
    if not mode.isolates:
        return f"{cost.share(mode.name, PREDICT):.2f} forward passes"
    step = next((name for name, other in cost.modes.items() if name != PREDICT and not other.isolates), PREDICT)
    often = f", once every {mode.every} steps" if mode.every > 1 else ""
    often += f", in {len(mode.steps)} turns (the figures are a round's)" if len(mode.steps) > 1 else ""
    share = cost.share(mode.name, step)
    size = f"{share:.0%} of" if share < 1 else f"{share:.2g} x"
    return f"{size} {step}, {quantity(mode.maps).rstrip()} maps of noise{often}"


def _by_operation(mode: "ModeCost") -> "Table":
    from ..engine.compiler.cost import Cost, sum_of
    from ..engine.compiler.program_cost import by_operation
    from .report import table_of

    whole = mode.total
    found = {kind: (number, cost) for kind, (number, cost) in by_operation(mode.operations).items() if cost != Cost()}
    kinds = sorted(found, key=lambda kind: _weight(found[kind][1], whole), reverse=True)
    large = [kind for kind in kinds if _weight(found[kind][1], whole) >= SMALL]
    rows = [_row(kind, *found[kind], whole) for kind in large]
    if small := [found[kind] for kind in kinds[len(large) :]]:
        rows.append(_row("others", sum(number for number, _ in small), sum_of(cost for _, cost in small), whole))
    return table_of(("operation", "values", "multiply-adds", "", "other flops", "bytes moved", ""), rows)


def _weight(cost: "Cost", whole: "Cost") -> float:
    """The larger of an operation's shares of multiply-adds and of bytes."""
    return max(_share(cost.multiply_adds, whole.multiply_adds), _share(cost.moved, whole.moved))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _row(kind: str, number: int, cost: "Cost", whole: "Cost") -> tuple[str, ...]:
    adds, moved = _share(cost.multiply_adds, whole.multiply_adds), _share(cost.moved, whole.moved)
    return (
        kind,
        str(number),
        *((quantity(cost.multiply_adds), f"{adds:.0%}") if cost.multiply_adds else ("", "")),
        quantity(cost.elementwise) if cost.elementwise else "",
        f"{quantity(cost.moved)}B",
        f"{moved:.0%}",
    )


def _programs(mode: "ModeCost") -> Iterator[str]:
    """The programs, a value a line: its number, its place in the circuit, what makes it, its shape and its cost."""
    for cost in mode.programs:
        program = cost.program
        results: dict[int, list[str]] = {}
        for name, index in program.results.items():
            results.setdefault(index, []).append(name)
        yield f"program '{program.name}': {len(program)} values, {len(program.inputs)} inputs, {len(results)} results"
        lines = [_line(operation) for operation in cost.operations]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        for index, (line, operation) in enumerate(zip(lines, cost.operations, strict=True)):
            columns = "  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True))
            given = f"  -> {', '.join(results[index])}" if index in results else ""
            yield f"{index:5d}  {columns}  {_costs(operation.cost)}{given}".rstrip()
        yield ""


def _line(operation: "OperationCost") -> tuple[str, str, str]:
    value = operation.value
    shape = "x".join(map(str, (*((operation.samples,) if value.batched else ()), *value.shape))) or "scalar"
    if value.operation == "input":
        return value["name"], f"input, {value['role']}", shape
    attributes = dict(value.attributes)
    wiring = [attributes["geometry"].wiring.kind] if "geometry" in attributes else []
    detail = " ".join(map(str, [*wiring, *(attributes[key] for key in DETAILS if key in attributes)]))
    return operation.place, f"{value.operation}({', '.join(map(str, value.inputs))}) {detail}".rstrip(), shape


def _costs(cost: "Cost") -> str:
    return f"{quantity(cost.flops):>7}flop {quantity(cost.moved):>7}B" if cost.moved else " " * 20
