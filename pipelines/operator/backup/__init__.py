"""Backups of an installation, and its restoration to an instant.

Theory of operation: a backup is one folder: Postgres' own base backup, then copies of
repositories and images, then a manifest with the digest of every file. The order matters:
a row names commits and layers that were there before it, and neither is ever changed, so
copies that are taken after the database hold all that it names. The manifest is written
last, under a name that appears in one step: a folder without one is no backup. From a base
backup on, the archived write-ahead log leads to any instant.

Secrets go elsewhere, and the signer's state goes nowhere: a signer that forgot what it
signed would sign a second history. See docs/operations/backup.md.
"""
