"""How much of everything one run may take."""

from dataclasses import dataclass

from signalbox.manifest import Manifest


@dataclass(frozen=True)
class Caps:
    """The operator's upper bounds; a manifest asks for less, never for more."""

    timeout_seconds: float = 60.0
    memory_mb: int = 4096


@dataclass(frozen=True)
class Limits:
    """Limits of one sandbox.

    Attributes:
        timeout_seconds: wall time of one step, from SLOT to FORECAST; time the host
            takes to answer a historical read does not count.
        memory_mb: of all processes together, /tmp included.
        pids: processes and threads.
        cpu: cores.
        tmp_mb: size of /tmp.
        output_bytes: largest frame taken from the model.
        log_bytes: log kept per slot; the rest is counted and dropped.
        start_seconds: wall time from launch to READY.
        lifetime_seconds: CPU time of the sandbox at most, and the age at which the
            reaper takes it for a leftover.
    """

    timeout_seconds: float = 20.0
    memory_mb: int = 512
    pids: int = 64
    cpu: float = 1.0
    tmp_mb: int = 64
    output_bytes: int = 65_536
    log_bytes: int = 65_536
    start_seconds: float = 30.0
    lifetime_seconds: float = 3600.0

    @classmethod
    def of(cls, manifest: Manifest, caps: Caps | None = None) -> "Limits":
        """What the manifest asks for, under the platform's caps."""
        caps = caps or Caps()
        return cls(
            timeout_seconds=min(manifest.runtime.timeout_seconds, caps.timeout_seconds),
            memory_mb=min(manifest.runtime.memory_mb, caps.memory_mb),
        )


OPEN_FILES = 256
FILE_BYTES = 64 * 1024 * 1024
