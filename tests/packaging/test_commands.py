"""Every command of ``tornado-service`` rejects typos before it does anything."""

from collections.abc import Iterator

import pytest

from tornado_service.app import TornadoService
from tornado_service.config.checks import ConfigError

COMMANDS = ["", "demo", "doctor", "values", "values check", "activity"]


@pytest.fixture
def service() -> Iterator[TornadoService]:
    TornadoService.clear_instance()
    service = command = TornadoService.instance()
    yield service
    while command:
        type(command).clear_instance()
        command = command.subapp


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("typo", ["--nosuch=1", "--nosuch", "nosuch"])
def test_a_typo_is_refused(
    service: TornadoService,
    command: str,
    typo: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run() -> None:
        service.initialize([*command.split(), typo])
        service.start()

    with pytest.raises((SystemExit, ConfigError)) as end:  # main() turns one into the other
        run()

    printed = f"{end.value} {capsys.readouterr().err} {caplog.text}"
    if (command, typo) == ("activity", "nosuch"):
        assert "A command is required: export USER, forget USER, report, or copy." in printed
    else:
        assert f"There is no option {typo.partition('=')[0]}" in printed


def test_all_commands_are_tried(service: TornadoService) -> None:
    assert {words.split()[0] for words in COMMANDS if words} == set(service.subcommands)
