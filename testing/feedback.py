"""What a learning system says of its feedback synapses, as far as properties of them ask."""

from .subject import Subject
from .synapses import Declared


def why_no_reverse(subject: Subject) -> str:
    """Why no feedback projection learns weights of its own that a forward one could be compared with; empty where some
    do.
    """
    if subject.system is None:
        return "it is a rule by itself, not a learning system"
    feedback = subject.system.feedback
    if feedback.pathway == "none":
        return "there is no feedback stream"
    if feedback.pathway == "direct":
        return "feedback is direct: no projection has a reverse"
    if feedback.weights != "independent":
        return f"feedback weights are tied to the forward ones ({feedback.weights})"
    return "" if feedback_rules(subject) else "feedback synapses never change (there is no feedback rule)"


def feedback_rules(subject: Subject) -> dict[str, Declared]:
    """The rules of feedback synapses, by mode."""
    return _rules(subject, "feedback")


def forward_rules(subject: Subject) -> dict[str, Declared]:
    """The rules of forward synapses, by mode."""
    return _rules(subject, "forward")


def _rules(subject: Subject, way: str) -> dict[str, Declared]:
    declared = (rule for rule in subject.synapses if isinstance(rule, Declared))
    return {rule.plasticity.mode: rule for rule in declared if rule.name.endswith(f".{way}")}
