"""`signalbox verify`: does the evidence hold?"""

import json
import os
import re
import time
from dataclasses import asdict
from pathlib import Path

import click
import httpx

from signalbox.log.bundle import MAX_BUNDLE_BYTES, Bundle, parse_bundle
from signalbox.log.checkpoint import parse_checkpoint
from signalbox.log.errors import LogError, VerificationError
from signalbox.log.note import parse_note
from signalbox.log.policy import Policy, parse_policy
from signalbox.log.remembered import Remembered
from signalbox.log.slots import spell
from signalbox.log.verify import LIVE_DEADLINE, Report, Terms, verify_bundle

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SIGNAL = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")


class Duration(click.ParamType[int | str]):
    """A number with s, m, h or d; `any` where allowed, which is None."""

    name = "duration"

    def __init__(self, *, any_allowed: bool = False) -> None:
        self._any_allowed = any_allowed

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if self._any_allowed and value == "any":
            return "any"
        found = re.fullmatch(r"([0-9]{1,9})([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration such as 90m, 24h or 7d", param, ctx)
        return int(found[1]) * SECONDS[found[2]]


@click.command()
@click.argument("source")
@click.option("--url", help="API of a platform: then SOURCE is a signal, provider/name.")
@click.option(
    "--policy", "policy_path", type=click.Path(path_type=Path), envvar="SIGNALBOX_POLICY",
    help="Whom you believe [default: policy in your configuration folder].",
)  # fmt: skip
@click.option(
    "--state", "state_path", type=click.Path(path_type=Path), envvar="SIGNALBOX_LOG_STATE",
    help="What you saw before [default: checkpoints in your state folder].",
)  # fmt: skip
@click.option("--max-age", type=Duration(any_allowed=True), default="24h", show_default=True,
              help="Of the checkpoint; any.")  # fmt: skip
@click.option("--deadline", type=Duration(), default=f"{LIVE_DEADLINE}s", show_default=True,
              help="After its slot, for a forecast to count as live.")  # fmt: skip
@click.option("--at", "now", type=int, help="Judge as of this second since 1970, not of now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(
    source: str,
    url: str | None,
    policy_path: Path | None,
    state_path: Path | None,
    max_age: int | str,
    deadline: int,
    now: int | None,
    *,
    as_json: bool,
) -> None:
    """Check SOURCE, a signal's evidence, against your policy and your memory.

    Exit code 0: everything holds. 1: the message names the first thing that does not.
    """
    try:
        remembered = Remembered(
            state_path or _folder("XDG_STATE_HOME", ".local/state", "checkpoints")
        )
        bundle = _download(source, url, remembered) if url else _read(Path(source))
        terms = Terms(
            _policy(policy_path, bundle),
            int(time.time()) if now is None else now,
            None if isinstance(max_age, str) else max_age,
            deadline,
        )
        report = verify_bundle(bundle, terms)
        remembered.check(report, bundle.checkpoint)
        remembered.store(bundle.checkpoint)
    except LogError as error:
        code = error.code if isinstance(error, VerificationError) else "malformed"
        if as_json:
            click.echo(json.dumps({"holds": False, "code": code, "problem": str(error)}))
        raise click.ClickException(f"DOES NOT HOLD ({code}): {error}") from None
    click.echo(json.dumps(_as_json(report)) if as_json else _as_text(report))


def _read(path: Path) -> Bundle:
    try:
        return parse_bundle(path.read_bytes())
    except OSError as error:
        raise click.ClickException(
            f"cannot read {path}: {error.strerror}; for provider/name, add --url"
        ) from None


def _download(signal: str, url: str, remembered: Remembered) -> Bundle:
    """The evidence, with the proof that it extends what was seen of that log."""
    if not SIGNAL.fullmatch(signal):
        raise click.ClickException(f"{signal!r} is no signal: with --url, name provider/name")
    address = f"{url.rstrip('/')}/v1/signals/{signal}/evidence"
    bundle = _get(address, {})
    known = remembered.size_of(_origin(bundle))
    return _get(address, {"known": str(known)}) if known else bundle


def _get(address: str, query: dict[str, str]) -> Bundle:
    key = os.environ.get("SIGNALBOX_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.stream("GET", address, params=query, headers=headers, timeout=60) as response:
            data = bytearray()
            for part in response.iter_bytes():
                data += part
                if len(data) > MAX_BUNDLE_BYTES:
                    raise click.ClickException(
                        f"{address} sends more than {MAX_BUNDLE_BYTES} bytes"
                    )
            response.raise_for_status()
    except httpx.HTTPError as error:
        raise click.ClickException(f"{address}: {error}") from None
    return parse_bundle(bytes(data))


def _origin(bundle: Bundle) -> str:
    return parse_checkpoint(parse_note(bundle.checkpoint.encode()).text).origin


def _policy(path: Path | None, bundle: Bundle) -> Policy:
    path = path or _folder("XDG_CONFIG_HOME", ".config", "policy")
    try:
        return parse_policy(path.read_text())
    except OSError:
        raise click.ClickException(
            f"there is no policy at {path}, so nothing says whose signatures to believe. Put one"
            " there, or name it by --policy. The bundle suggests this one; compare its keys with"
            f" what the operator and the witnesses publish elsewhere:\n\n{bundle.hints.policy}"
        ) from None


def _folder(variable: str, default: str, name: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / default) / "signalbox" / name


def _as_json(report: Report) -> dict[str, object]:
    return {
        "holds": True,
        "signal": report.signal,
        "log": report.checkpoint.origin,
        "size": report.checkpoint.size,
        "dated_at": _spelled(report.dated_at),
        "trust": report.trust,
        "leaves": report.leaves,
        "since": _spelled(report.since),
        "until": _spelled(report.until),
        "first_slot": _spelled(report.first_slot),
        "last_slot": _spelled(report.last_slot),
        "total": asdict(report.total),
        "versions": {name: asdict(counts) for name, counts in report.versions.items()},
    }


def _spelled(seconds: int | None) -> str | None:
    return None if seconds is None else spell(seconds)


def _as_text(report: Report) -> str:
    whole = "whole" if report.since is None and report.until is None else "in part"
    lines = [
        f"holds: {report.signal}, {whole}",
        f"leaves {report.leaves} of {report.checkpoint.size} in {report.checkpoint.origin}",
        f"slots  {_spelled(report.first_slot) or 'none'} to {_spelled(report.last_slot) or 'none'}",
        f"dated  {_spelled(report.dated_at) or 'not at all'}",
        f"trust  {report.trust}",
    ]
    for name, counts in sorted(report.versions.items()):
        told = ", ".join(f"{number} {word}" for word, number in asdict(counts).items() if number)
        lines.append(f"{name}  {told or 'no slots'}")
    return "\n".join(lines)
