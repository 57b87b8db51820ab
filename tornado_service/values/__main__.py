"""``python -m tornado_service.values``."""

from .app import ValuesApp

if __name__ == "__main__":
    ValuesApp.launch_instance()
