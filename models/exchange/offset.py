"""Biases of a population that no layer of torch has: one a channel, added to whatever arrives."""

import torch
from torch import nn


class Offset(nn.Module):
    """x + bias, one number a channel; x is (batch, channels) or (batch, channels, height, width)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum, in the shape of x."""
        return x + self.bias.reshape(-1, *(1,) * (x.dim() - 2))
