"""The software bill of materials of a version: CycloneDX 1.5, canonical JSON."""

import re
from typing import Any

from sandbox.registry.lock import Lock

PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:(?P<hex>[0-9a-f]{64})")


def bill_of_materials(lock: Lock) -> dict[str, Any]:
    """Components with the hashes of the wheels that the lock admits.

    >>> bill_of_materials(Lock("six==1.17.0 --hash=sha256:" + "0" * 64))["components"][0]["purl"]
    'pkg:pypi/six@1.17.0'
    """
    components: list[dict[str, Any]] = []
    for line in lock.text.splitlines():
        if pinned := PINNED.match(line):
            name, version = pinned["name"].lower(), pinned["version"]
            purl = f"pkg:pypi/{name}@{version}"
            components.append(
                {"type": "library", "name": name, "version": version, "purl": purl, "hashes": []}
            )
        components[-1]["hashes"] += [
            {"alg": "SHA-256", "content": found["hex"]} for found in HASH.finditer(line)
        ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
