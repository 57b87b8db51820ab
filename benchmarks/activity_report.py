"""The results of Activity: a summary, and all numbers."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.activity_visits import Visit, visits
from benchmarks.results import Results


def slowest(results: Results, kind: str) -> str:
    """The path with the largest median.

    Args:
        results: of a run.
        kind: ``cold``, for days not requested since the last sample, or ``warm``.
    """
    rows = {
        f"{visit}": statistics.median(response[kind] for response in responses)
        for visit, responses in _responses(results).items()
    }
    name = max(rows, key=lambda name: rows[name])
    return f"{1000 * rows[name]:.0f} ms ({name})"


def health_p99(results: Results, phase: str) -> str:
    """The service's latency, and its ratio to a bare handler at the same time."""
    ours, floor = (
        statistics.quantiles(record["waits"], n=100)[98]
        for record in results.records
        if record["measure"] == "activity health" and record["phase"] == phase
    )
    return f"{1000 * ours:.0f} ms ({ours / floor:.1f})"


def load_on_hub(results: Results, *, full: bool) -> str:
    """Median number of calls and seconds for a sample."""
    rows = [
        record
        for record in results.records
        if record["measure"] == "activity sample" and record["full"] == full
    ]
    calls, seconds = (
        statistics.median([record[field] for record in rows]) for field in ("calls", "seconds")
    )
    return f"{calls:.0f} calls in {seconds:.1f} s"


def _responses(results: Results) -> dict[Visit, list[dict[str, float]]]:
    rows: dict[Visit, list[dict[str, float]]] = {visit: [] for visit in visits()}
    for record in results.records:
        if record["measure"] == "activity answer":
            rows[Visit(record["contender"], record["path"], record["range"])].append(record)
    return rows


def report(results: Results) -> Iterator[str]:
    """All numbers, as lines of text."""
    yield f"{'milliseconds, medians (worst)':60} {'new':>14} {'again':>14} {'÷ floor':>8} {'KB':>6}"
    for visit, responses in _responses(results).items():
        cold, warm, floor, size = (
            [response[field] for response in responses]
            for field in ("cold", "warm", "floor", "size")
        )
        ratio = statistics.median(cold) / statistics.median(floor)
        yield f"{visit!s:60} {_ms(cold)} {_ms(warm)} {ratio:8.0f} {max(size) / 1000:6.0f}"
    for record in results.records:
        kind = record["measure"].removeprefix("activity ")
        if kind == "health":
            waits = record["waits"]
            yield (
                f"health, {record['phase']}, {record['contender']}: p50"
                f" {1000 * statistics.median(waits):.1f} ms, p99"
                f" {1000 * statistics.quantiles(waits, n=100)[98]:.1f} ms, worst"
                f" {1000 * max(waits):.1f} ms, of {len(waits)}"
            )
        elif kind != "answer":
            hidden = ("measure", "contender", "round")
            yield f"{kind}: " + ", ".join(
                f"{name} {value:.3g}" for name, value in record.items() if name not in hidden
            )


def _ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):6.1f} {f'({1000 * max(seconds):.0f})':>7}"
