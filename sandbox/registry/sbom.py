"""The software bill of materials of a version: CycloneDX 1.5, canonical JSON."""

from typing import Any

from sandbox.registry.lock import Lock


def bill_of_materials(lock: Lock) -> dict[str, Any]:
    """One component per installed wheel, with the hash of that very wheel.

    It names nothing of the version itself: versions of one lock share it.

    >>> bill_of_materials(Lock("six==1.17.0 --hash=sha256:" + "0" * 64))["components"][0]["purl"]
    'pkg:pypi/six@1.17.0'
    """
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{package.name}@{package.version}",
            "name": package.name,
            "version": package.version,
            "purl": f"pkg:pypi/{package.name}@{package.version}",
            "hashes": [{"alg": "SHA-256", "content": package.sha256}],
        }
        for package in lock.packages
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
