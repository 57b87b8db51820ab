pytest_plugins = ["tornado_service.testing"]
