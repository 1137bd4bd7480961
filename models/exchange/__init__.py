"""Networks from torch and to torch, with their weights and names."""

from .errors import ExchangeError
from .network import Network
from .reading import from_torch
from .torchvision_names import as_torchvision
from .writing import to_torch

__all__ = ["ExchangeError", "Network", "as_torchvision", "from_torch", "to_torch"]
