"""`counterstream explain`: what a circuit computes, and what that costs."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Options, command, settings

if TYPE_CHECKING:
    from ..engine.compiler.circuit_cost import CircuitCost, ModeCost
    from ..engine.compiler.cost import Cost

ITEMSIZES = {"float32": 4, "float64": 8, "bfloat16": 2}


def explain(
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT", help="A stock circuit's name, or a file.")],
    learning: Annotated[
        str | None, typer.Option(metavar="NAME", help="A learning system in place of the circuit's own.")
    ] = None,
    option: Options = None,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Samples of a step.")] = 64,
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="float32 or float64.")] = "float32",
    mode: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this mode: predict, or one of the circuit's.")
    ] = None,
    operations: Annotated[
        bool, typer.Option("--operations", help="Print the programs too, operation by operation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Say what a circuit computes in each of its modes: parameters, arithmetic, bytes and memory, totals first.

    A multiply-add is two flops; an element of any other result is one.

    \b
    Example:
      counterstream explain digits_resnet --learning weight_mirror --batch 100
    """
    from ..engine.compiler.circuit_cost import PREDICT, circuit_cost
    from ..engine.compiler.compile import compile_circuit
    from ..models.library import load
    from .cost_report import print_modes, print_totals

    itemsize = ITEMSIZES[_known(dtype, ITEMSIZES, "number format")]
    compiled = compile_circuit(load(circuit, learning=learning, options=settings(option)))
    cost = circuit_cost(compiled, batch=batch, itemsize=itemsize)
    wanted = [cost.modes[_known(mode, cost.modes, "mode")]] if mode else list(cost.modes.values())
    # Predicting is the first part of every mode with data: it has a table of its own only on request.
    detailed = wanted if mode else [one for one in wanted if one.name != PREDICT]
    explicit = compiled.circuit
    title = f"{explicit.name}, learning by {explicit.system or 'rules of its own'}"
    if as_json:
        import json

        about = {"circuit": explicit.name, "learning": explicit.system, "batch": batch, "dtype": dtype}
        print(json.dumps(about | _as_data(cost, wanted, operations), indent=1))
        return
    print_totals(f"{title}, in steps of {batch} ({dtype})\n", cost, wanted)
    print_modes(detailed, operations=operations)
    if not operations:
        alone = "" if mode else f"; --mode {PREDICT} shows that mode alone"
        print(f"--operations lists the programs value by value{alone}.")
    print(f"Next: {command('draw', circuit, learning, option)}")


def _known(name: str, valid: Collection[str], noun: str) -> str:
    from ..circuits.errors import CounterstreamError, suggest

    if name not in valid:
        raise CounterstreamError(f"unknown {noun} '{name}'. {suggest(name, valid, f'{noun}s')}")
    return name


def _as_data(cost: "CircuitCost", wanted: "Sequence[ModeCost]", operations: bool) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "parameters": {**asdict(cost.parameters), "forward": cost.parameters.forward},
        "state_bytes": dict(cost.state),
        "modes": {mode.name: _mode_data(mode, operations) for mode in wanted},
    }


def _mode_data(mode: "ModeCost", operations: bool) -> dict[str, Any]:
    from ..engine.compiler.program_cost import by_operation

    data = {
        **_figures(mode.total),
        "memory_bytes": mode.memory,
        "isolates": mode.isolates,
        "every": mode.every,
        "turns": len(mode.steps),
        "maps": mode.maps,
        "operations": {
            kind: {"values": count, **_figures(one)} for kind, (count, one) in by_operation(mode.operations).items()
        },
    }
    if operations:
        data["programs"] = {
            program.program.name: [
                {
                    "place": one.place,
                    "operation": one.value.operation,
                    "inputs": list(one.value.inputs),
                    "shape": list(one.value.shape),
                    "samples": one.samples if one.value.batched else None,
                    **_figures(one.cost),
                }
                for one in program.operations
            ]
            for program in mode.programs
        }
    return data


def _figures(cost: "Cost") -> dict[str, int]:
    return {
        "multiply_adds": cost.multiply_adds,
        "flops": cost.flops,
        "bytes_read": cost.read,
        "bytes_written": cost.written,
    }
