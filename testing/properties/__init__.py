"""The properties, one file each. A file here whose `PROPERTY` is a property is all that it takes to add one, and its
name and parameters in `circuits/declarations/claims.py`, where learning systems claim it.
"""

from importlib import import_module
from pkgutil import iter_modules

from ...circuits.declarations.claims import PROPERTIES as TABLE
from .property import Property


def _found() -> dict[str, Property]:
    """Every property by name, in the order of the table of claims."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    found = {module.PROPERTY.name: module.PROPERTY for module in modules if hasattr(module, "PROPERTY")}
    assert found.keys() == TABLE.keys(), found.keys() ^ TABLE.keys()
    return {name: found[name] for name in TABLE}


PROPERTIES = _found()

__all__ = ["PROPERTIES", "Property"]
