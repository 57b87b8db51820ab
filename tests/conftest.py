pytest_plugins = ["tornado_service.testing", "tests.databases", "tests.launched"]
