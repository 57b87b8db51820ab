from __future__ import annotations

import pytest

pytest_plugins = ["tornado_service.testing"]


@pytest.fixture
def service_config(tmp_path):
    return {
        "TornadoService": {"apps": ["notices"]},
        "Notices": {"database_url": f"sqlite:///{tmp_path}/notices.sqlite", "clean_interval": 1},
    }
