"""Causeway: an internal developer platform that lives in a pull request."""

__version__ = "0.1.0"
