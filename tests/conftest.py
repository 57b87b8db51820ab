pytest_plugins = ["tornado_service.testing", "tests.support.databases", "tests.support.launched"]
