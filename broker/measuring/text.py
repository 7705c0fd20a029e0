"""All measures in the form that Prometheus reads (text exposition format)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from broker.measuring.catalogue import BY_NAME, MEASURES
from broker.measuring.folder import Values, parts
from broker.measuring.measure import Kind, Measure

CONTENT_TYPE = CONTENT_TYPE_LATEST

Sample = tuple[Measure, tuple[str, ...], float]
"""A measure, the values of its labels, and its value."""

_Numbers = dict[str, float]


class _Found(Collector):
    """What was gathered, as the library takes it."""

    def __init__(self, values: Values, looked_up: Iterable[Sample]) -> None:
        self._rows: dict[Measure, dict[tuple[str, ...], _Numbers]] = defaultdict(dict)
        for stored, (value, _) in values.items():
            name, part, labels = parts(stored)
            self._rows[BY_NAME[name]].setdefault(labels, {})[part] = value
        for measure, labels, value in looked_up:
            self._rows[measure][labels] = {"": value}

    def collect(self) -> Iterator[Metric]:
        for measure in MEASURES:
            if rows := self._rows.get(measure):
                yield _family(measure, rows)


def exposed(values: Values, looked_up: Iterable[Sample]) -> bytes:
    """The text of one answer to Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Found(values, looked_up))
    return generate_latest(registry)


def _family(measure: Measure, rows: dict[tuple[str, ...], _Numbers]) -> Metric:
    if measure.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(measure.name, measure.meaning, labels=measure.label_names)
        for labels, numbers in rows.items():
            histogram.add_metric(labels, _buckets(measure, numbers), numbers.get("sum", 0.0))
        return histogram
    made = CounterMetricFamily if measure.kind is Kind.COUNTER else GaugeMetricFamily
    family = made(measure.name, measure.meaning, labels=measure.label_names)
    for labels, numbers in rows.items():
        family.add_metric(labels, numbers[""])
    return family


def _buckets(measure: Measure, numbers: _Numbers) -> list[tuple[str, float]]:
    """Each upper bound, and how many values were at most that."""
    sofar, found = 0.0, []
    for bound in (*map(str, measure.buckets), "+Inf"):
        sofar += numbers.get(bound, 0.0)
        found.append((bound, sofar))
    return found
