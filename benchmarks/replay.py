"""A year of lockstep replay, storage included, against a bare pipe and against cold runs.

Two models run over the same made-up bars: `examples/momentum-quantiles`, and a trivial one that
looks at the last close of one symbol. The bare pipe is the same model loop between two processes
that both hold all the data: the model gets a step number, and answers with its rows as MessagePack.
All is measured one after the other in this run; the answers of all paths must be equal.
"""

import argparse
import contextlib
import functools
import os
import struct
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import psycopg

from assets.forecasts.audit import audit_replay
from assets.forecasts.past import PastBars
from assets.forecasts.replay import replay_version
from assets.forecasts.version import PublishedVersion, published_versions
from assets.installation import Installation
from assets.market_data import SampleSource, ingest, pin, read_bars
from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sandbox.runner.engine import Engine, EngineChoice, PathChoice, available_engine
from sandbox.runner.run import Feed, replay, run_cold
from sandbox.runner.validate import AnswerCheck
from signalbox import parse_manifest
from signalbox.protocol import Answer
from sql import embedded
from sql.migrate import migrate
from sql.roles import DATABASE, OWNER, WORKER, conninfo, create_roles, new_secrets, role_url

EXAMPLE = Path(__file__).parents[1] / "examples" / "momentum-quantiles"
FIRST = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOOKBACK = 500
SYMBOLS = ("BTCUSDT", "ETHUSDT", "EURUSD")
DELAY = timedelta(minutes=2)
STEP = struct.Struct("<I")

TRIVIAL = {
    "signal.toml": """
[signal]
name = "trivial"
title = "The last close"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1]
lookback_hours = 500
target = "price"
[offer]
price = "1.00"
""",
    "requirements.txt": "numpy>=2\n",
    "app.py": """
from signalbox import Forecast

def forecast(window):
    return [Forecast("BTCUSDT", 1, float(window.numpy("BTCUSDT")[-1]))]
""",
}


PUBLISH = """
with provider as (
  insert into account.user_account values (%(user)s, %(name)s, %(name)s || '@example.org', 'x',
                                           'member', %(now)s) returning id
), signal as (
  insert into registry.signal (provider_id, name, title, description, visibility, created_at)
  select id, %(name)s, %(name)s, '', 'private', %(now)s from provider returning id, provider_id
)
insert into registry.version (signal_id, version, state, reserved_at, published_at, pushed_by,
  commit_sha, tree_digest, lock_digest, image_digest, manifest)
select id, 'v1.0.0', 'live', %(now)s, %(now)s, provider_id, 'c', 't', 'l', %(image)s, %(manifest)s
from signal
"""


@dataclass(frozen=True)
class _House:
    installation: Installation
    owner: str


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=8760)
    parser.add_argument("--cold", type=int, default=10, help="slots that are also run cold")
    parser.add_argument("--audit", type=int, default=100, help="slots run again after the replay")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "embedded"])
    parser.add_argument("--path", default="forked", choices=["forked", "cold"])
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    momentum = {path.name: path.read_text() for path in EXAMPLE.iterdir() if path.is_file()}
    with _house(options.engine, options.path, options.slots) as house:
        result: dict[str, Any] = {"engine": options.engine, "slots": options.slots}
        trivial = _measured(house, TRIVIAL, options)
        result |= _measured(house, momentum, options)
        result |= {f"trivial_{name}": value for name, value in trivial.items()}
    if not options.json:
        for name, value in result.items():
            print(f"{name:28} {value}")
    print(msgspec.json.encode(result).decode())


@contextlib.contextmanager
def _house(choice: EngineChoice, path: PathChoice, slots: int) -> Iterator[_House]:
    """A database with migrations and bars, an image store, an engine."""
    with contextlib.ExitStack() as undo:
        # As root the server and the sandbox run as other users, who must be able to walk there.
        home = Path(undo.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        home.chmod(0o755)
        server = embedded.start(home)
        undo.callback(server.stop)
        passwords = new_secrets()
        create_roles(server.admin, passwords)
        owner, worker = (role_url(server.admin, one, passwords[one]) for one in (OWNER, WORKER))
        migrate(owner)
        end = FIRST + slots * HOUR
        with psycopg.connect(conninfo(worker), autocommit=True) as connection:
            ingest(
                connection, SampleSource(SYMBOLS), SYMBOLS, FIRST - LOOKBACK * HOUR, end, end,
                is_history=True,
            )  # fmt: skip
        installation = Installation(
            connect=lambda: psycopg.connect(conninfo(worker), autocommit=True),
            engine=lambda: available_engine(choice, path=path),
            images=ImageStore(home),
            clock=lambda: end,
            feed_delay=DELAY,
            live_deadline=timedelta(minutes=10),
            api_url="",
        )
        yield _House(installation, conninfo(server.admin.set(database=DATABASE)))


def _measured(
    house: _House, files: dict[str, str], options: argparse.Namespace
) -> dict[str, float]:
    installation = house.installation
    version = _published(house, files)
    slots = [FIRST + hour * HOUR for hour in range(options.slots)]
    with closing(installation.engine()) as engine:
        seconds, answers = _lockstep(installation, engine, version, slots)
        cold_seconds, cold = _cold(installation, engine, version, slots[: options.cold])
    pipe_seconds, piped = _pipe(installation, version, files["app.py"], slots)
    began = time.perf_counter()
    replayed = list(replay_version(installation, version, slots))
    stored_seconds = time.perf_counter() - began
    audit = audit_replay(installation, version, slots, count=options.audit)
    assert cold == answers[: options.cold]
    assert piped == answers
    assert [one.forecasts for one in replayed] == [len(rows) for rows in answers]
    assert not audit.differing, audit.verdict
    return {
        "seconds": round(seconds, 3),
        "slots_per_second": round(len(slots) / seconds, 1),
        "stored_seconds": round(stored_seconds, 3),
        "pipe_ratio": round(pipe_seconds / seconds, 3),
        "cold_ratio": round(cold_seconds / options.cold / (seconds / len(slots)), 1),
        "audit_seconds": round(audit.seconds, 3),
    }


def _published(house: _House, files: dict[str, str]) -> PublishedVersion:
    store = house.installation.images
    locked = lock(
        parse_requirements(files["requirements.txt"]), now=datetime.now(UTC), cache=store.cache
    )
    contents = {name: (text.encode(), False) for name, text in files.items()}
    built = store.add(base=store.base(), dependencies=store.dependencies(locked), files=contents)
    manifest = parse_manifest(files["signal.toml"])
    with psycopg.connect(house.owner, autocommit=True) as connection:
        connection.execute(
            PUBLISH,
            {
                "user": uuid.uuid4(), "name": manifest.signal.name, "image": built.digest,
                "now": house.installation.clock(),
                "manifest": msgspec.json.encode(manifest).decode(),
            },
        )  # fmt: skip
        return next(
            one for one in published_versions(connection) if one.name == manifest.signal.name
        )


def _lockstep(
    installation: Installation, engine: Engine, version: PublishedVersion, slots: list[datetime]
) -> tuple[float, list[Any]]:
    """Seconds from start to end, without storage but with digests; the answers."""
    if engine.name == "docker":
        ensure_loaded(installation.images, version.image_digest)
    image = installation.images.open(version.image_digest)
    began = time.perf_counter()
    with installation.connect() as connection:
        bars = PastBars(connection, version, slots[0], pin(connection, slots[-1], DELAY))

        def feeds() -> Iterator[Feed]:
            for step in bars.steps(slots):
                symbols = () if step.changes else version.manifest.forecast.symbols
                tables = {symbol: step.table(symbol) for symbol in symbols}
                meanwhile = functools.partial(getattr, step, "input_digest")
                read = bars.historical(step.slot)
                yield Feed(step.slot, tables, read, step.changes, meanwhile)

        results = replay(engine, image, version.manifest, version.label, feeds())
        answers = [result.rows for result in results]
    return time.perf_counter() - began, answers


def _cold(
    installation: Installation, engine: Engine, version: PublishedVersion, slots: list[datetime]
) -> tuple[float, list[Any]]:
    image = installation.images.open(version.image_digest)
    with installation.connect() as connection:
        bars = PastBars(connection, version, slots[0], pin(connection, slots[-1], DELAY))
        feeds = [bars.feed(slot) for slot in slots]
    began = time.perf_counter()
    results = [run_cold(engine, image, version.manifest, version.label, feed) for feed in feeds]
    return time.perf_counter() - began, [result.rows for result in results]


class _Held:
    """A window for the bare pipe: slices of closes that the process has held all along."""

    def __init__(self, closes: dict[str, Any]) -> None:
        self._closes = closes
        self.symbols = tuple(closes)
        self.step = 0

    def numpy(self, symbol: str, column: str = "close") -> Any:
        assert column == "close"
        return self._closes[symbol][self.step : self.step + LOOKBACK]


def _pipe(
    installation: Installation, version: PublishedVersion, app: str, slots: list[datetime]
) -> tuple[float, list[Any]]:
    """Seconds of the loop alone; the answers, checked and rounded afterwards."""
    manifest = version.manifest
    with installation.connect() as connection:
        frames = read_bars(
            connection, manifest.forecast.symbols, slots[0] - LOOKBACK * HOUR,
            pin(connection, slots[-1], DELAY),
        )  # fmt: skip
    closes = {symbol: frame["close"].to_numpy() for symbol, frame in frames.items()}
    assert {len(one) for one in closes.values()} == {LOOKBACK + len(slots) - 1}
    to_model, from_model = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(to_model[1])  # or its end is never seen
        _answer_steps(app, _Held(closes), to_model[0], from_model[1])
    began = time.perf_counter()
    decoder = msgspec.msgpack.Decoder(Answer)
    answers = []
    for step in range(len(slots)):
        os.write(to_model[1], STEP.pack(step))
        answers.append(decoder.decode(os.read(from_model[0], 65_536)))
    seconds = time.perf_counter() - began
    os.close(to_model[1])
    os.wait()
    check = AnswerCheck(manifest)
    return seconds, [check.checked(answer.rows) for answer in answers]


def _answer_steps(app: str, window: _Held, incoming: int, outgoing: int) -> NoReturn:
    module: dict[str, Any] = {}
    exec(app, module)  # noqa: S102 - our own example
    encoder = msgspec.msgpack.Encoder()
    while step := os.read(incoming, STEP.size):
        (window.step,) = STEP.unpack(step)
        os.write(outgoing, encoder.encode(Answer(tuple(module["forecast"](window)))))
    os._exit(0)


if __name__ == "__main__":
    main()
