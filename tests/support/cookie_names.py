"""Names of the cookies of a service named ``tornado-service``."""

SESSION = "service-tornado-service"
STATE = f"{SESSION}-oauth-state"
XSRF = "_xsrf"
