"""The residual circuit of the tests by torch, with autograd: an oracle for every compartment."""

import torch

from counterstream.engine.simulator import Simulator

from .nets import Array


class Exact(dict[str, torch.Tensor]):
    """Every activity of the residual circuit by torch, with its gradient where autograd gives one."""

    def __init__(self, sim: Simulator, images: Array, digits: Array) -> None:
        super().__init__()
        self.state = {name: torch.from_numpy(value) for name, value in sim.state_dict().items()}
        self["image.rate"] = torch.from_numpy(images)
        stem = self.keep("stem.soma", self.conv("image->stem", self["image.rate"]))
        entry = self.normal("entry1", stem)
        hidden = self.normal("hidden1", self.conv("entry1->hidden1", entry))
        total = self.keep("sum1.soma", self.conv("hidden1->sum1", hidden) + stem)
        reduced = self.keep("reduced.soma", torch.nn.functional.max_pool2d(total, 3, 2, 1))
        entry = self.normal("entry2", reduced)
        hidden = self.normal("hidden2", self.conv("entry2->hidden2", entry, stride=2))
        shortcut = torch.conv2d(entry, self.state["weights/shortcut"], stride=2)
        total = self.keep("sum2.soma", self.conv("hidden2->sum2", hidden) + shortcut)
        pooled = self.keep("pooled.soma", self.normal("top", total).mean((2, 3), keepdim=True))
        weight, bias = self.state["weights/pooled->answer"], self.state["bias/answer"]
        current = self.keep("answer.soma", pooled.flatten(1) @ weight.T)
        self["answer.rate"] = (current + bias).softmax(1)
        loss = torch.nn.functional.cross_entropy(current + bias, torch.from_numpy(digits), reduction="sum")
        loss.backward()

    def keep(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Deltas are unscaled by the batch, hence the summed loss."""
        if not value.requires_grad:
            value.requires_grad_()
        value.retain_grad()
        self[name] = value
        return value

    def conv(self, label: str, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        return torch.conv2d(x, self.state[f"weights/{label}"], stride=stride, padding=1)

    def normal(self, name: str, soma: torch.Tensor) -> torch.Tensor:
        soma = self.keep(f"{name}.soma", soma.clone())  # its own gradient, apart from that of skips
        mean, variance = soma.mean((0, 2, 3), keepdim=True), soma.var((0, 2, 3), keepdim=True, correction=0)
        drive = self.keep(f"{name}.drive", (soma - mean) / (variance + 1e-5).sqrt())
        gain, bias = (self.state[f"{kind}/{name}"].reshape(-1, 1, 1) for kind in ("gain", "bias"))
        before = self.keep(f"{name}.before", gain * drive + bias)
        return self.keep(f"{name}.rate", before.relu())
