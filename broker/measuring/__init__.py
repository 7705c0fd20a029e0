"""What the broker counts about itself, for its operator: never about whom, only how often.

`catalogue` lists every measure. A room says what happened to the meter that it is handed
(`tools().meter`); what stands still until somebody looks is a room's `Feature.gauges`.
"""

from broker.measuring.measure import Kind, Label, Measure
from broker.measuring.meter import SILENT, Known, Meter
from broker.measuring.tracing import UNTRACED, Span, Tracer

__all__ = ["SILENT", "UNTRACED", "Kind", "Known", "Label", "Measure", "Meter", "Span", "Tracer"]
