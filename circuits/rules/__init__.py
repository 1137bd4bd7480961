"""Plasticity rules: one scalar equation, read, checked and brought into a sum of separable terms.

    text --parse_rule--> Expression --normal_form--> (Term, ...) --split_decay--> terms and decay

Nothing here imports torch, numpy or a computer algebra system: a rule's polynomial is a dict.
"""

from .binding import bind
from .compartments import (
    COMPARTMENTS,
    ECHO,
    NOISE,
    RESERVED_WORDS,
    REVERSE,
    Compartment,
    RuleKind,
    Stream,
    compartments,
    visible_signals,
)
from .describe import reads, term_text, to_text, uses_centre, vanishes_at_zero
from .evaluate import evaluate
from .expression import (
    Call,
    Expression,
    Number,
    Parameter,
    Power,
    Product,
    Signal,
    Sum,
    Term,
    add,
    children,
    multiply,
    negate,
    parameters_of,
    power,
    walk,
)
from .functions import FUNCTIONS, Function
from .grammar import parse_rule
from .normal_form import MAX_TERMS, normal_form, split_decay

__all__ = [
    "COMPARTMENTS",
    "ECHO",
    "FUNCTIONS",
    "MAX_TERMS",
    "NOISE",
    "RESERVED_WORDS",
    "REVERSE",
    "Call",
    "Compartment",
    "Expression",
    "Function",
    "Number",
    "Parameter",
    "Power",
    "Product",
    "RuleKind",
    "Signal",
    "Stream",
    "Sum",
    "Term",
    "add",
    "bind",
    "children",
    "compartments",
    "evaluate",
    "multiply",
    "negate",
    "normal_form",
    "parameters_of",
    "parse_rule",
    "power",
    "reads",
    "split_decay",
    "term_text",
    "to_text",
    "uses_centre",
    "vanishes_at_zero",
    "visible_signals",
    "walk",
]
