"""The OpenAPI document of the core's API and of the apps'."""
