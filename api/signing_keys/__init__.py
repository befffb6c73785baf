"""Signing keys: whose signature of a push counts."""
