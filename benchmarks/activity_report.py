"""What was measured of Activity: as a few figures, and all of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.activity import Visit, visits
from benchmarks.results import Results


def slowest(results: Results, kind: str) -> str:
    """The address with the largest median.

    Args:
        results: have them.
        kind: ``cold``, for days that nobody asked for since the last sample, or ``warm``.
    """
    found = {
        f"{visit}": statistics.median(each[kind] for each in answers)
        for visit, answers in _answers(results).items()
    }
    name = max(found, key=lambda name: found[name])
    return f"{1000 * found[name]:.0f} ms ({name})"


def health_p99(results: Results, phase: str) -> str:
    """Of the service, and how many times that of a bare handler at the same time."""
    ours, floor = (
        statistics.quantiles(each["waits"], n=100)[98]
        for each in results.records
        if each["measure"] == "activity health" and each["phase"] == phase
    )
    return f"{1000 * ours:.0f} ms ({ours / floor:.1f})"


def load_on_hub(results: Results, *, full: bool) -> str:
    """Calls and seconds of a sample."""
    found = [
        each
        for each in results.records
        if each["measure"] == "activity sample" and each["full"] == full
    ]
    calls, seconds = (
        statistics.median([each[field] for each in found]) for field in ("calls", "seconds")
    )
    return f"{calls:.0f} calls in {seconds:.1f} s"


def _answers(results: Results) -> dict[Visit, list[dict[str, float]]]:
    found: dict[Visit, list[dict[str, float]]] = {visit: [] for visit in visits()}
    for each in results.records:
        if each["measure"] == "activity answer":
            found[Visit(each["contender"], each["path"], each["range"])].append(each)
    return found


def report(results: Results) -> Iterator[str]:
    """All numbers, as lines of text."""
    yield f"{'milliseconds, medians (worst)':60} {'new':>14} {'again':>14} {'÷ floor':>8} {'KB':>6}"
    for visit, answers in _answers(results).items():
        cold, warm, floor, size = (
            [each[field] for each in answers] for field in ("cold", "warm", "floor", "size")
        )
        ratio = statistics.median(cold) / statistics.median(floor)
        yield f"{visit!s:60} {_ms(cold)} {_ms(warm)} {ratio:8.0f} {max(size) / 1000:6.0f}"
    for each in results.records:
        kind = each["measure"].removeprefix("activity ")
        if kind == "health":
            waits = each["waits"]
            yield (
                f"health, {each['phase']}, {each['contender']}: p50"
                f" {1000 * statistics.median(waits):.1f} ms, p99"
                f" {1000 * statistics.quantiles(waits, n=100)[98]:.1f} ms, worst"
                f" {1000 * max(waits):.1f} ms, of {len(waits)}"
            )
        elif kind != "answer":
            hidden = ("measure", "contender", "round")
            yield f"{kind}: " + ", ".join(
                f"{name} {value:.3g}" for name, value in each.items() if name not in hidden
            )


def _ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):6.1f} {f'({1000 * max(seconds):.0f})':>7}"
