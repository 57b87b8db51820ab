"""The commands of tornado-service reject unknown options, as the service does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tornado_service.activity.cli import ActivityCommand
from tornado_service.config.application import ConfigError, StrictApplication
from tornado_service.demo.command import DemoApp
from tornado_service.doctor.command import DoctorApp
from tornado_service.values.cli import CheckApp, ValuesApp


def read_settings(command: type[StrictApplication], *argv: str) -> StrictApplication:
    command.clear_instance()
    app = command()
    app.read_settings(list(argv))
    return app


@pytest.mark.parametrize("command", [DemoApp, DoctorApp, ValuesApp, CheckApp, ActivityCommand])
class TestEachCommand:
    """Exit status 2 before anything is done."""

    @pytest.mark.parametrize(
        "argument",
        [
            "--nosuch=x",
            "--nosuch",
            "-z",
            "--{class}.nosuch=x",
            "-{class}.nosuch=x",
            "--NoSuch.name=x",
            "--TornadoService.port=1",
            "--{class}.log_level=LOUD",
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, command: type[StrictApplication], argument: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        argument = argument.replace("{class}", command.__name__)
        command.clear_instance()

        with pytest.raises(SystemExit) as end:
            command().initialize([argument])

        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{command.name}: ")

    def test_names_the_likely_option(self, command: type[StrictApplication]) -> None:
        option = next(name for name in command.aliases if len(name) > 3)

        with pytest.raises(ConfigError, match=rf"Did you mean --{option}\?"):
            read_settings(command, f"--{option[:-2]}{option[-1]}=x")


@pytest.mark.parametrize("command", [DemoApp, DoctorApp, ValuesApp, CheckApp])
def test_a_command_without_arguments_refuses_them(command: type[StrictApplication]) -> None:
    with pytest.raises(ConfigError, match="There is no option foo"):
        read_settings(command, "foo")


def test_what_follows_two_dashes_is_no_option() -> None:
    assert read_settings(ActivityCommand, "--", "forget", "--ada").extra_args == ["forget", "--ada"]


class TestTheServicesFileInAnotherCommand:
    """`activity --config=` reads the file that the service reads."""

    def test_its_other_settings_are_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "settings.py"
        file.write_text(
            "c.TornadoService.apps = ['activity', 'my_module:Mine']\n"
            "c.TornadoService.port = 8181\n"
            "c.Mine.anything = 1\n"
            "c.ServiceAuth.cache_size = 5\n"
            "c.Activity.database_url = 'sqlite:////nosuch/file'\n"
        )

        app = read_settings(ActivityCommand, f"--config={file}", "forget", "ada")

        assert app.config.Activity.database_url == "sqlite:////nosuch/file"

    @pytest.mark.parametrize(
        ("line", "reported"),
        [
            ("c.Activity.databse_url = 'x'", "Did you mean c.Activity.database_url?"),
            ("c.Actvity.database_url = 'x'", "Did you mean c.Activity?"),
            ("c.ActivtyCommand.log_level = 10", "Did you mean c.ActivityCommand?"),
            ("c.ActivityCommand.log_level = 'LOUD'", "log_level"),
            ("c.Activity.database_url =", "in line 1: SyntaxError"),
        ],
    )
    def test_a_mistake_in_it_is_refused(self, tmp_path: Path, line: str, reported: str) -> None:
        file = tmp_path / "settings.py"
        file.write_text(line)

        with pytest.raises(ConfigError) as error:
            read_settings(ActivityCommand, f"--config={file}", "forget", "ada")

        assert reported in str(error.value)

    def test_a_file_that_is_missing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="does not exist"):
            read_settings(ActivityCommand, f"--config={tmp_path}/none.py", "forget", "ada")


@pytest.mark.parametrize("arguments", [["--help-all"], ["values", "--help-all"], ["values"]])
def test_output_that_is_not_read_to_the_end_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does, at some time

    result = subprocess.run(
        [sys.executable, "-m", "tornado_service", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    os.close(writer)
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["--port=x"], 2)])
def test_the_status_is_the_same_without_standard_output(arguments: list[str], status: int) -> None:
    command = f"exec {sys.executable} -m tornado_service {' '.join(arguments)} >&-"

    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert result.returncode == status
    assert "Traceback" not in result.stderr
