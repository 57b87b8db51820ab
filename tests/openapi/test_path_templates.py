"""Regular expressions of routes, as templates."""

import pytest

from tornado_service.openapi.path_templates import expand_pattern


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("", [], [""]),
        ("api/reports", [], ["api/reports"]),
        (r"api/a\.b", [], ["api/a.b"]),
        (r"api/reports/(\d+)$", ["number"], ["api/reports/{number}"]),
        (r"(?P<kind>\w+)/(?P<key>.*)", ["ignored"], ["{kind}/{key}"]),
        (r"a(?:/(\d+))?", ["n"], ["a", "a/{n}"]),
        ("api/?", [], ["api"]),
        (r"items/(\d+)|x", ["n"], ["items/{n}", "x"]),
        ("(?:a|b)/c", [], ["a/c", "b/c"]),
        ("(?:one|two)/c", [], ["one/c", "two/c"]),
        ("(a)/(b)", [], ["{group1}/{group2}"]),
    ],
)
def test_an_address_is_a_template(pattern: str, names: list[str], expected: list[str]) -> None:
    assert expand_pattern(pattern, names) == expected


def test_a_pattern_with_many_ways_gives_a_few() -> None:
    assert len(expand_pattern("(?:a|b|c)" * 20, [])) == 8


@pytest.mark.parametrize("pattern", ["api/.*", r"a\d", "x+", "(?=a)b"])
def test_what_no_template_can_say_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="matches more than one text"):
        expand_pattern(pattern, [])
