"""An invalid setting is reported in one line with the fix, and an exit status."""

from pathlib import Path

import pytest

from tests.support.launched import only_line, run


@pytest.mark.parametrize(
    ("args", "reported"),
    [
        (["--config=missing.py"], "missing.py does not exist"),
        (["--config=bad.py"], "bad.py is wrong in line 2: NameError"),
        (["--config=syntax.py"], "syntax.py is wrong in line 1: SyntaxError"),
        (["--config=typo.py"], "typo.py is wrong: There is no setting c.TornadoService.prot"),
        (["--config=section.py"], "There is no class c.TornadoServer."),
        (["--config=type.py"], "'shutdown_grace'"),
        (["--prot=1"], "There is no option --prot. Did you mean --port?"),
        (["--port=x"], "port"),
        (["--port=70000"], "70000"),
        (["--TornadoService.prot=1"], "There is no setting c.TornadoService.prot."),
        (["--log-level=LOUD"], "log_level"),
        (["-p", "1"], "There is no option -p."),
        (["TornadoService.port=1"], "There is no option TornadoService.port=1"),
        (["--ip=127.0.0.1", "activity"], "There is no option activity"),
        (["--config=secret.py"], "cookie secret is shorter than 32 bytes"),
    ],
)
def test_an_invalid_setting_ends_with_a_line_that_names_the_fix(
    tmp_path: Path, args: list[str], reported: str
) -> None:
    (tmp_path / "bad.py").write_text("c.TornadoService.port = 1\nnope\n")
    (tmp_path / "syntax.py").write_text("c.TornadoService.port = \n")
    (tmp_path / "typo.py").write_text("c.TornadoService.prot = 1\n")
    (tmp_path / "section.py").write_text("c.TornadoServer.port = 1\n")
    (tmp_path / "type.py").write_text("c.TornadoService.shutdown_grace = 'long'\n")
    (tmp_path / "secret.py").write_text("c.TornadoService.cookie_secret = b'short'\n")

    result = run(*args, cwd=tmp_path)

    assert result.returncode == 2
    assert reported in only_line(result)


@pytest.mark.parametrize(
    "name",
    [
        "JUPYTERHUB_SERVICE_NAME",
        "JUPYTERHUB_SERVICE_URL",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_API_TOKEN",
        "JUPYTERHUB_CLIENT_ID",
    ],
)
def test_a_missing_variable_is_named(tmp_path: Path, name: str) -> None:
    result = run(cwd=tmp_path, **{name: None})

    assert result.returncode == 2
    assert name in only_line(result)
    assert "tornado-service demo" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JUPYTERHUB_SERVICE_URL", "hub:8181"),
        ("JUPYTERHUB_SERVICE_URL", "//hub:8181"),
        ("JUPYTERHUB_SERVICE_URL", "http://hub:http"),
        ("JUPYTERHUB_SERVICE_URL", "http://hub:99999"),
        ("JUPYTERHUB_SERVICE_URL", "http://[hub:8181"),
        ("JUPYTERHUB_SERVICE_URL", "ftp://hub:8181"),
        ("JUPYTERHUB_SERVICE_PREFIX", "services/tornado-service/"),
    ],
)
def test_an_invalid_address_is_refused(tmp_path: Path, variable: str, value: str) -> None:
    result = run(cwd=tmp_path, **{variable: value})

    assert result.returncode == 2
    assert f"{variable} is {value!r}: it takes" in only_line(result)


def test_generate_config_writes_every_setting_and_overwrites_nothing(tmp_path: Path) -> None:
    first = run("--generate-config", cwd=tmp_path)
    written = (tmp_path / "tornado_service_config.py").read_text()
    second = run("--generate-config", cwd=tmp_path)

    assert first.returncode == 0
    assert "# c.TornadoService.shutdown_grace = 5.0" in written
    assert "# c.ServiceAuth.cache_max_age = " in written
    assert "# c.HubClient.hub_timeout = 5.0" in written
    assert second.returncode == 2
    assert "exists already" in only_line(second)


def test_version_and_help(tmp_path: Path) -> None:
    from tornado_service import __version__

    assert run("--version", cwd=tmp_path).stdout.strip() == __version__
    assert "--TornadoService.shutdown_grace" in run("--help-all", cwd=tmp_path).stdout


def test_the_config_file_is_read_and_the_command_line_goes_first(tmp_path: Path) -> None:
    from tornado_service.app import TornadoService

    file = tmp_path / "settings.py"
    file.write_text("c.TornadoService.port = 1\nc.TornadoService.shutdown_grace = 1\n")
    app = TornadoService()
    app.config_file = str(file)
    app.parse_command_line(["--port=2"])

    app.read_config_file(str(file))

    assert (app.port, app.shutdown_grace) == (2, 1.0)
