"""Names of the service's cookies, as its name is ``tornado-service``."""

SESSION = "service-tornado-service"
STATE = f"{SESSION}-oauth-state"
XSRF = "_xsrf"
