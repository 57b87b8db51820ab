"""The results as a Markdown table, next to the required values."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import re
import statistics
import subprocess

import jupyterhub
import tornado

from benchmarks import activity_report, broken_apps
from benchmarks.footprint import BARE
from benchmarks.results import DASH, Results, median
from benchmarks.stage import FLOOR, MIXINS, SERVICE
from tornado_service.demo.proxy import find_proxy

HEAD = "| measurement | required | goal | service | mixins |\n|---|---|---|---|---|"
#: How the hub fails, and how it recovers.
HUB_FAULTS = {
    "refuse": ("hub refuses connections", "hub accepts connections again"),
    "silent": ("hub does not respond", "hub responds again"),
}


@functools.cache
def versions() -> dict[str, str]:
    """The versions of all that was measured."""
    return {
        "Python": platform.python_version(),
        "Tornado": tornado.version,
        "JupyterHub": jupyterhub.__version__,
        "configurable-http-proxy": _version_of([*find_proxy(), "--version"]),
        "wrk": _version_of(["wrk", "-v"]),
    }


def _version_of(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+", run.stdout + run.stderr)[0]  # type: ignore[index]


class Table:
    """One row for each measurement."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._has = {record["measure"] for record in results.records}

    def __str__(self) -> str:
        rows = [*self._warm(), *self._faults(), *self._footprint(), *self._streams()]
        rows += self._activity()
        rows += self._broken()
        return "\n".join([HEAD, *("| " + " | ".join(row) + " |" for row in rows)])

    def _warm(self) -> list[list[str]]:
        if "token" not in self._has:
            return []
        rate = "requests/s ÷ floor (÷ mixins)"
        cpu = self._over_floor("cpu", "token", "page")
        p99 = self._over_floor("p99", "token", "page", "fetch")
        return [
            [
                f"`GET api/user`, token in the cache, {rate}",
                "0.80 (1.7)",
                "0.92",
                *self._rates("token"),
            ],
            [
                f"the same as a page, session in the cache, {rate}",
                "0.70 (1.8)",
                "0.88",
                *self._rates("page"),
            ],
            [
                f"the same by `fetch`, session and XSRF, {rate}",
                "0.70 (2.0)",
                "0.88",
                *self._rates("fetch"),
            ],
            *self._typed(),
            ["CPU per request ÷ floor, token / session", "1.35 / 1.60", "1.10 / 1.20", *cpu],
            ["p99 ÷ floor's p99, token / session / `fetch`", "2", "1.3", *p99],
            [
                f"through the proxy, token in the cache, {rate}",
                "0.70",
                "0.90",
                *self._rates("proxy"),
            ],
        ]

    def _typed(self) -> list[list[str]]:
        rows = []
        ways = [
            ("token", "token in the cache", "0.80", "0.65"),
            ("page", "session", "0.75", "0.60"),
        ]
        for way, words, *limits in ways:
            for method, must in zip(("async", "def"), limits, strict=True):
                name = f"`{method.replace('async', 'async def')} get` of an app with a model"
                rate, cpu = (
                    self._ratio(f"typed {way}", method, FLOOR, field) for field in ("rate", "cpu")
                )
                text = f"{name}, {words}: requests/s ÷ floor (CPU ÷ floor)"
                rows.append([text, must, DASH, f"{rate} ({cpu})", DASH])
        return rows

    def _rates(self, case: str) -> list[str]:
        ours, theirs = (self._ratio(case, name, FLOOR, "rate") for name in (SERVICE, MIXINS))
        return [f"{ours} ({self._ratio(case, SERVICE, MIXINS, 'rate')})", theirs]

    def _over_floor(self, field: str, *cases: str) -> list[str]:
        return [
            " / ".join(self._ratio(case, name, FLOOR, field) for case in cases)
            for name in (SERVICE, MIXINS)
        ]

    def _ratio(self, measure: str, name: str, other: str, field: str) -> str:
        return median(self._results.ratios(measure, name, other, field))

    def _faults(self) -> list[list[str]]:
        rows = []
        both = SERVICE, MIXINS
        if "stampede" in self._has:
            text = "100 concurrent requests with one token that is not in the cache: hub calls;"
            text += " time ÷ mixins"
            calls = [max(self._results.values("stampede", name, "lookups")) for name in both]
            ours = self._ratio("stampede", SERVICE, MIXINS, "seconds") + self._unexpected_statuses(
                "stampede"
            )
            theirs = self._ms("stampede", MIXINS, "seconds") + self._unexpected_statuses(
                "stampede", MIXINS
            )
            rows.append([text, "1; 1.3", "1; 1.0", f"{calls[0]}; {ours}", f"{calls[1]}; {theirs}"])
        if "slow" in self._has:
            text = "hub takes 2 s for unknown tokens: longest time of `health` /"
            text += " of a token in the cache"
            waits = [
                f"{self._ms('slow', name, 'health')} / {self._ms('slow', name, 'warm')}"
                f"{self._unexpected_statuses('slow', name)}"
                for name in both
            ]
            rows.append([text, "50 ms", "10 ms", *waits])
            text = "five tokens that are not in the cache, hub takes 1 s for each: last response"
            last = [
                self._seconds("cold", name, "seconds") + self._unexpected_statuses("cold", name)
                for name in both
            ]
            rows.append([text, "1.1 s", "1.05 s", *last])
        for fault, must in (("refuse", "50; 100; 100 ms"), ("silent", "50; 5200; 100 ms")):
            if fault in self._has:
                hub, back = HUB_FAULTS[fault]
                text = f"{hub}: cached token 200; unknown token 503 + `Retry-After`;"
                text += " once five have failed"
                rows.append([text, must, "10 ms", *(self._outage(fault, name) for name in both)])
                text = f"{back}: first 200 of an unknown token after"
                seconds = [self._seconds(fault, name, "back") for name in both]
                rows.append([text, "one trial, 5 s", DASH, *seconds])
        return rows

    def _outage(self, fault: str, name: str) -> str:
        retry = all(self._results.values(fault, name, "retry_after"))
        return (
            f"{self._statuses(fault, name, 'warm_statuses')} {self._ms(fault, name, 'warm')};"
            f" {self._statuses(fault, name, 'statuses')}{' + `Retry-After`' if retry else ''}"
            f" {self._ms(fault, name, 'cold')}; {self._ms(fault, name, 'sixth')}"
        )

    def _statuses(self, measure: str, name: str, field: str) -> str:
        """All statuses that clients received."""
        lists = self._results.values(measure, name, field)
        seen = sorted({status for statuses in lists for status in statuses}, reverse=True)
        return "/".join(str(status) if status else "no response" for status in seen)

    def _unexpected_statuses(self, measure: str, name: str = SERVICE) -> str:
        """The statuses if they are not all 200."""
        statuses = self._statuses(measure, name, "statuses")
        return "" if statuses == "200" else f" ({statuses})"

    def _ms(self, measure: str, name: str, field: str) -> str:
        values = self._results.values(measure, name, field)
        return median([1000 * value for value in values], ".0f") + " ms"

    def _seconds(self, measure: str, name: str, field: str) -> str:
        return median(self._results.values(measure, name, field)) + " s"

    def _footprint(self) -> list[list[str]]:
        rows = []
        for record in self._results.records:
            if record["measure"] == "strangers":
                text = "{tokens:,} invalid tokens, {visits:,} anonymous requests: memory kept"
                later = record["kept"] - record["half"]
                kept = f"{record['kept']:.1f} MiB, {later:.1f} of it in the second half"
                rows.append([text.format(**record), "8 MiB in all", "2 MiB", kept, DASH])
        if "start" in self._has:
            ratios = [self._ratio("start", SERVICE, MIXINS, field) for field in ("uss", "seconds")]
            theirs = self._mib("start", MIXINS, "uss"), self._seconds("start", MIXINS, "seconds")
            text = "idle USS; cold start ÷ mixins"
            rows.append([text, "1.2; 1.3", "1.05; 1.05", "; ".join(ratios), "; ".join(theirs)])
            bare = self._mib("start", BARE, "rss"), self._mib("used", BARE, "rss")
            text = "RSS idle; after 10,000 requests (bare Tornado with the sign-in library:"
            text += f" {bare[0]}; {bare[1]})"
            cells = [
                f"{self._mib('start', name, 'rss')}; {self._mib('used', name, 'rss')}"
                for name in (SERVICE, MIXINS)
            ]
            rows.append([text, DASH, DASH, *cells])
        return rows

    def _streams(self) -> list[list[str]]:
        rows = []
        if "streams" in self._has:
            counts = [
                self._results.values("streams", SERVICE, key) for key in ("delivered", "expected")
            ]
            text = "1,000 event streams: delivered; after (p99); memory each;"
            text += " p99 of `health` meanwhile / with no events"
            delay, health, quiet = (
                self._ms("streams", SERVICE, field) for field in ("delay", "health", "quiet")
            )
            per_stream = median(self._results.values("streams", SERVICE, "each"), ".0f") + " KiB"
            delivered = f"{sum(counts[0]):,} of {sum(counts[1]):,}"
            ours = f"{delivered}; {delay}; {per_stream}; {health} / {quiet}"
            rows.append([text, f"all; {DASH}; {DASH}; 50 ms", DASH, ours, DASH])
        for record in self._results.records:
            if record["measure"] == "unread":
                text = "{streams} event streams, twice, without a reader, {sent:.0f} MiB sent:"
                later = record["kept"] - record["half"]
                kept = f"{record['kept']:.1f} MiB, {later:.1f} of it in the second half"
                rows.append([text.format(**record) + " memory kept", DASH, DASH, kept, DASH])
        return rows

    def _broken(self) -> list[list[str]]:
        if "broken" not in self._has:
            return []
        rows = []
        for kind in broken_apps.KINDS:
            ratios = [
                median(self._results.values("broken", kind, field))
                for field in ("rate", "cpu", "p99")
            ]
            text = f"an app next to a failing app ({kind}): requests/s; CPU each; p99, ÷ without"
            rows.append([text, f"0.90; {DASH}; {DASH}", DASH, "; ".join(ratios), DASH])
        return rows

    def _activity(self) -> list[list[str]]:
        if "activity answer" not in self._has:
            return []
        slowest = [activity_report.slowest(self._results, kind) for kind in ("cold", "warm")]
        health = [activity_report.health_p99(self._results, phase) for phase in ("quiet", "busy")]
        full, active = (
            activity_report.load_on_hub(self._results, full=full) for full in (True, False)
        )
        memory = [
            self._mib(measure, SERVICE, "rss") for measure in ("activity busy", "activity empty")
        ]
        return [
            [
                "Activity, 10,000 users, a year: median of the slowest path,"
                " first / repeated request",
                "300 ms",
                DASH,
                " / ".join(slowest),
                DASH,
            ],
            [
                "p99 of `health` (÷ floor's), collector alone / with continuous requests",
                "50 ms",
                DASH,
                " / ".join(health),
                DASH,
            ],
            [
                "calls of the hub and their time, sample of all / of active users",
                DASH,
                DASH,
                f"{full} / {active}",
                DASH,
            ],
            ["RSS with that history / without", DASH, DASH, " / ".join(memory), DASH],
        ]

    def _mib(self, measure: str, name: str, field: str) -> str:
        return median(self._results.values(measure, name, field), ".0f") + " MiB"

    def note(self, rounds: int, seconds: int) -> str:
        """Date, versions, rounds and the noise of the measurement."""
        with_ = ", ".join(f"{name} {version}" for name, version in versions().items())
        text = (
            f"{datetime.date.today().isoformat()}, {with_}, {os.cpu_count()} cores;"
            f" medians [quartiles] of {rounds} rounds of {seconds} s, 16 connections."
        )
        if "token" not in self._has:
            return text
        rates, p50, p99, cpu = (
            statistics.median(self._results.values("token", FLOOR, field))
            for field in ("rate", "p50", "p99", "cpu")
        )
        itself = median(self._results.ratios("token", FLOOR, FLOOR, "rate"))
        return (
            f"{text} The floor encodes its JSON for each request; with a token:"
            f" {rates:,.0f} requests/s, p50 {p50 * 1000:.1f} ms,"
            f" p99 {p99 * 1000:.1f} ms, {cpu * 1e6:.0f} µs CPU each; ÷ itself: {itself}."
        )
