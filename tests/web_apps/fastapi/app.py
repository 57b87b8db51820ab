"""JupyterHub's example of a service with FastAPI, without its code for OAuth."""

from urllib.parse import unquote

from fastapi import FastAPI, Request

app = FastAPI(title="Grades")


@app.get("/me")
def me(request: Request):
    groups = request.headers.get("x-forwarded-groups", "").split(",")
    return {
        "name": request.headers["x-forwarded-user"],
        "groups": [unquote(group) for group in groups if group],
    }
