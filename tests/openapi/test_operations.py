"""Regular expressions of routes, as templates."""

import pytest

from tornado_service.openapi.operations import path_template


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("", [], ""),
        ("api/reports", [], "api/reports"),
        (r"api/a\.b\-c", [], "api/a.b-c"),
        (r"api/reports/(\d+)$", ["number"], "api/reports/{number}"),
        (r"api/(?P<number>[0-9]{4})\.csv", [], "api/{number}.csv"),
        (r"(?P<kind>[^()]+|\))/(?P<key>.*)", ["ignored"], "{kind}/{key}"),
        ("api/?", [], "api"),
        ("(a)/(b)", ["first", "second"], "{first}/{second}"),
    ],
)
def test_groups_become_parameters(pattern: str, names: list[str], expected: str) -> None:
    assert path_template(pattern, names) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "api/.*", r"a\d", "x+", "(?=a)b", "(?:a|b)/c", "a|b", r"a(?:/(\d+))?", "(?P<n>x)?", "x{2}",
        "(?P<n>(a)b)", "(one)(two)", "(?P<a>x)/(y)",
    ],
)  # fmt: skip
def test_other_expressions_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="text and groups only"):
        path_template(pattern, ["only"])
