"""Forecasts, for those who are entitled to them."""
