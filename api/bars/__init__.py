"""Bars, for charts."""
