"""Subscriptions: one person's access to one signal."""
