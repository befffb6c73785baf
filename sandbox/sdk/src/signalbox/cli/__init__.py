"""The `signalbox` command: one program for three groups of people.

The distribution `signalbox` brings what providers and subscribers need; where
the platform is installed, its operator's commands appear beside them.
"""

from signalbox.cli.program import main

__all__ = ["main"]
