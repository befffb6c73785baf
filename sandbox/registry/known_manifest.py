"""A manifest against the installation: the name that was pushed to, Pythons, symbols."""

from typing import Any

import psycopg

from sandbox.registry.base import PYTHONS
from sandbox.registry.reservation import Submission
from sandbox.registry.tree import SourceTree
from signalbox import Manifest, ManifestError, parse_manifest


def known_manifest(
    connection: psycopg.Connection[Any], tree: SourceTree, submission: Submission
) -> Manifest:
    """Parse the tree's `signal.toml`, and hold it against what is known here.

    Raises:
        ManifestError: naming the field, and what there is.
    """
    manifest = parse_manifest(tree.text("signal.toml"))
    if manifest.signal.name != submission.name:
        raise ManifestError(
            "signal.name",
            f"{manifest.signal.name!r} was pushed to {submission.name}.git; make them the same",
        )
    if manifest.runtime.python not in PYTHONS:
        available = ", ".join(PYTHONS)
        raise ManifestError(
            "runtime.python",
            f"{manifest.runtime.python} is not available here; available: {available}",
        )
    known = {symbol for (symbol,) in connection.execute("select symbol from market.instrument")}
    for symbol in manifest.forecast.symbols:
        if symbol not in known:
            listed = ", ".join(sorted(known)) or "none yet"
            raise ManifestError("forecast.symbols", f"{symbol} is not known here; known: {listed}")
    return manifest
