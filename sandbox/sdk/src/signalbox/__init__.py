"""What passes between a provider's model and the platform, defined once; and its client.

What needs polars or httpx is imported when it is first asked for: the command line and the
program in the sandbox begin without either.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from signalbox.forecast import Forecast
from signalbox.manifest import Manifest, ManifestError, parse_manifest

if TYPE_CHECKING:
    from signalbox.client import ApiError, AsyncClient, Client
    from signalbox.window import RefusedReadError, Window

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "Forecast",
    "Manifest",
    "ManifestError",
    "RefusedReadError",
    "Window",
    "parse_manifest",
]

_LATER = {
    "ApiError": "signalbox.client",
    "AsyncClient": "signalbox.client",
    "Client": "signalbox.client",
    "RefusedReadError": "signalbox.window",
    "Window": "signalbox.window",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
