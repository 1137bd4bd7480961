"""The laboratory: property tests for plasticity rules, and what tests of circuits and engines draw examples from.

It needs hypothesis, which the extra `counterstream[testing]` brings; importing this package alone does not load it.
"""
