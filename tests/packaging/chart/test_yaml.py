import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.helm_yaml import DOCUMENTS, SCALARS

HELM = shutil.which("helm")

pytestmark = pytest.mark.skipif(not HELM, reason="needs helm on the PATH; `make test-chart`")

Read = Callable[[str], dict[str, Any] | None]


@pytest.fixture(scope="module")
def helm_reads(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Helm's result for a values file; ``None`` if it rejects it."""
    chart = tmp_path_factory.mktemp("chart")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: values\nversion: 1.0.0\n")
    (chart / "templates").mkdir()
    (chart / "templates" / "values.yaml").write_text("values: {{ toJson .Values | quote }}")

    def read(text: str) -> dict[str, Any] | None:
        command = [str(HELM), "template", "r", str(chart), "--values=-"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            assert b"failed to parse" in done.stderr
            return None
        line = done.stdout.decode().partition("values: ")[2]
        return json.loads(json.loads(line), parse_int=float)

    return read


@pytest.mark.parametrize("text", SCALARS)
def test_helm_reads_a_scalar_as_in_the_table(helm_reads: Read, text: str) -> None:
    assert helm_reads(f"v: {text}\n") == {"v": SCALARS[text]}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_helm_reads_a_file_as_in_the_table(helm_reads: Read, name: str) -> None:
    text, values = DOCUMENTS[name]
    assert helm_reads(text) == values
