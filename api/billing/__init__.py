"""Payments: a checkout page or a webhook puts an event in the inbox, which has one effect."""
