"""What passes between a provider's model and the platform, defined once."""

from signalbox.forecast import Forecast
from signalbox.manifest import Manifest, ManifestError, parse_manifest
from signalbox.window import RefusedReadError, Window

__all__ = [
    "Forecast",
    "Manifest",
    "ManifestError",
    "RefusedReadError",
    "Window",
    "parse_manifest",
]
