"""One figure with its labels, as Prometheus' client has it."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """A figure without labels; `name` without the platform's."""
    return GaugeMetricFamily(f"signalbox_{name}", text, value)


def gauges(
    name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    """A figure by labels."""
    family = GaugeMetricFamily(f"signalbox_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
