"""Counterstream."""
