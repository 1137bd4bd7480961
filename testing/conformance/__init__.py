"""The conformance suite: whether an engine does what the contract and the reference say.

    pytest --pyargs counterstream.testing --engine NAME

`docs/writing-an-engine.md` says what it tests and how to read what it finds.
"""
