"""The protocol document is enough to write another implementation."""

import math
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.runner.image import COMMAND, ENVIRONMENT, Image
from sandbox.runner.run import Feed, replay, version_seed
from signalbox import Manifest
from signalbox.protocol import MAX_TO_HOST_BYTES, MAX_TO_MODEL_BYTES, Kind

DOCUMENT = Path(__file__).parents[3] / "docs/provider/protocol.md"
SECOND = Path(__file__).with_name("second_implementation.py")
NOWHERE = Image("sha256:none", Path(), Path(), Path())


def test_an_implementation_in_the_standard_library_alone_answers_every_slot(
    local_engine: Callable[..., Any], manifest: Manifest, feed: Callable[..., Feed]
) -> None:
    engine = local_engine([sys.executable, "-I", "-S", str(SECOND)])
    row = struct.pack("<q5d", 0, 1.0, 2.0, 0.5, 1.5, math.nan)
    changes = dict.fromkeys(("EURUSD", "GBPUSD"), struct.pack("<II", 2, 98) + row)
    feeds = [feed(0), *(replace(feed(hours), changes=changes) for hours in (1, 2))]
    results = list(replay(engine, NOWHERE, manifest, "eve/second v1.0.0", feeds))
    assert [result.missed for result in results] == [None] * 3
    assert results[0].rows is not None
    assert [row.point for row in results[0].rows] == [0.0] * 4
    assert results[0].rows[0].quantiles == {0.1: -0.4, 0.5: 0.0, 0.9: 0.4}
    first = results[0].log.splitlines()
    assert first[0] == f"eve/second v1.0.0 seed {version_seed('eve/second v1.0.0')}"
    assert first[1] == f"slot {int(feeds[0].as_of.timestamp())}"
    assert [line.split()[:3] for line in first[2:4]] == [
        ["EURUSD", "TABLE", "of"],
        ["GBPUSD", "TABLE", "of"],
    ]
    assert first[4].endswith(" bytes of Arrow")
    assert first[5] == "AAPL is not in the manifest; it names EURUSD, GBPUSD"
    assert results[2].log.splitlines()[1:3] == [
        "EURUSD CHANGE -2 =98 +1, closes [1.5]",
        "GBPUSD CHANGE -2 =98 +1, closes [1.5]",
    ]


def test_the_document_names_every_kind_with_its_number_and_both_limits() -> None:
    text = DOCUMENT.read_text()
    rows = dict(re.findall(r"^\| (\d+) \| ([A-Z]+) \|", text, re.MULTILINE))
    assert rows == {str(kind.value): kind.name for kind in Kind}
    assert f"{MAX_TO_MODEL_BYTES:,} bytes" in text
    assert f"{MAX_TO_HOST_BYTES:,} bytes" in text


def test_the_document_gives_command_and_environment_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert " ".join(COMMAND) in text
    for name, value in ENVIRONMENT.items():
        assert f"{name}={value}" in text
