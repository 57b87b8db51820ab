"""What the doctor says of the apps of a running service."""

from __future__ import annotations

from typing import Any

from tornado_service.doctor.diagnosis import check_apps


def app(name: str, state: str = "ready", reason: str = "", **details: str) -> dict[str, Any]:
    spec = f"{name}:App"
    return {"name": name, "app": spec, "state": state, "reason": reason, "details": details}


def test_apps_are_listed_with_their_details_on_one_line() -> None:
    sales = app("sales", state="ready", process="12", empty="", output="first\n  last\n")

    finding = check_apps({"apps": [app("activity"), sales], "scopes": ["list:users"]}, "")

    assert (finding.state, finding.value) == ("ok", "list:users")
    assert finding.message == "activity is ready, sales is ready (process 12, output last)."


def test_problems_come_with_the_details_of_their_app() -> None:
    sales = app("sales", reason="Command not found.", restarts="3")
    broken = app("broken", state="failed", reason="No module.")

    finding = check_apps({"apps": [app("activity"), sales, broken], "scopes": []}, "")

    assert finding.state == "wrong"
    trouble = "sales is in trouble: Command not found. (restarts 3)"
    assert finding.message == f"{trouble}; broken:App failed: No module."
