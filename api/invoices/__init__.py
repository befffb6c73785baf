"""Invoices: what a subscriber paid, and what of it went back."""
