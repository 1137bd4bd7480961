"""The torch engine's graphs, compiled whole: one function a program, no graph break, no recompilation between steps."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import torch
from torch import fx

from ...compiler.program import Program
from ..base import EngineError
from ..torch import TorchEngine, TorchExecutable


class CompiledExecutable(TorchExecutable):
    """A program as a compiled function. The first call compiles, which takes from seconds to minutes; torch keeps what
    it compiled on disk, so that the same circuit starts sooner the next time.
    """

    def __init__(
        self,
        program: Program,
        module: fx.GraphModule,
        settings: Callable[[], AbstractContextManager[None]],
        donated: frozenset[str],
        device: torch.device,
    ) -> None:
        super().__init__(program, module, settings)
        # A CUDA graph writes where it was recorded to write: it takes states that stay where they are.
        self._records = device.type == "cuda" and bool(donated)
        self._donated = donated
        self._marked = False
        options: dict[str, Any] = {"triton.cudagraphs": True} if self._records else {}
        self._compiled = torch.compile(module, fullgraph=True, dynamic=False, options=options)

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        if self._records and not self._marked:
            for name in self._donated:
                torch._dynamo.mark_static_address(inputs[name])
            self._marked = True
        with torch.no_grad(), self._settings():
            try:
                results = self._compiled(*self._bind(inputs))
            except torch._dynamo.exc.TorchDynamoException as error:
                raise EngineError(
                    f"engine 'inductor': the program '{self.module._get_name()}' could not be compiled "
                    f"({type(error).__name__}: {str(error).strip().splitlines()[0]}). It needs a C++ compiler on a CPU "
                    "and Triton on a GPU. Use engine='torch'."
                ) from error
        found = dict(zip(self._results, results, strict=True))
        if self._records:  # the next replay writes over what this one returned
            found = {name: value if name in self._donated else value.clone() for name, value in found.items()}
        return found


class InductorEngine(TorchEngine):
    """torch.compile on a CPU or a CUDA device. A step is one compiled function, consolidation fused in, with CUDA
    graphs where there is CUDA and states are updated in place. Programs that are called rarely run eagerly.
    """

    name: ClassVar[str] = "inductor"
    joins: ClassVar[bool] = True
    announces: ClassVar[bool] = False  # a compiled graph is not interrupted

    def lower(self, program: Program, donated: frozenset[str] = frozenset()) -> TorchExecutable:
        written = donated & program.results.keys()
        module = self._lowering(program).module(written, fused=False)
        return CompiledExecutable(program, module, self._settings, written, self._device)

    def lower_quickly(self, program: Program, donated: frozenset[str] = frozenset()) -> TorchExecutable:
        return super().lower(program, donated)
