"""What a receiver tells Prometheus."""

from __future__ import annotations

from itertools import chain

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tap_calendly.webhooks import subscription

EVENTS = frozenset(chain.from_iterable(subscription.EVENTS.values()))
"""The events that are counted by name; Prometheus keeps each name for ever."""

PREFIX = "calendly_webhooks_"


class Metrics:
    """The metrics of one receiver."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            f"{PREFIX}deliveries", "Deliveries stored.", ["event"], registry=self.registry
        )
        self._refused = Counter(
            f"{PREFIX}refused", "Deliveries refused.", ["reason"], registry=self.registry
        )
        self._failures = Counter(
            f"{PREFIX}store_failures",
            "Times that the inbox could not be written.",
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{PREFIX}delivery_seconds",
            "Seconds from the end of a request to its answer, for deliveries stored.",
            registry=self.registry,
        )
        self._last = Gauge(
            f"{PREFIX}last_delivery_timestamp_seconds",
            "When a delivery was last stored.",
            registry=self.registry,
        )

    def count_delivery(self, event: str, seconds: float) -> None:
        """Count a delivery that was stored."""
        self._deliveries.labels(event if event in EVENTS else "other").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()

    def count_refusal(self, reason: str) -> None:
        """Count a delivery that was refused."""
        self._refused.labels(reason).inc()

    def count_failure(self) -> None:
        """Count a transaction that failed."""
        self._failures.inc()
