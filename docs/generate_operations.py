"""The reference of the HTTP API, from the OpenAPI document that a service responds with."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from generate_markdown import cell, markdown, table

PREFIX = "/services/tornado-service/"

HEAD = """\
# API operations

For authors of API clients: each operation of the service and of Activity, with its parameters and responses. This page is generated
from the OpenAPI document by `make docs`; a running service has the document at `api/openapi.json`, with the operations of all its
apps. Paths are below `/services/NAME`. [Authentication and errors](http-api.md) are the same for all operations.
"""


def operations_page() -> str:
    document = fetch_document()
    lines = [HEAD]
    for tag in document["tags"]:
        title = "Service" if tag["name"] == "service" else tag["name"].capitalize()
        lines += [f"## {title}", "", markdown(tag["description"]), ""]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    lines += operation_lines(path, method, operation)
    lines += ["## Models", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += model_lines(name, schema)
    # the code says None, JSON says null
    return "\n".join(lines).replace("`None`", "`null`").replace("``None``", "`null`")


def fetch_document() -> dict[str, Any]:
    """The document of a service that runs for a moment, without a hub."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "JUPYTERHUB_SERVICE_NAME": "tornado-service",
        "JUPYTERHUB_SERVICE_URL": url,
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
        "JUPYTERHUB_API_TOKEN": "0" * 32,
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "service-tornado-service",
    }
    command = ["--TornadoService.apps=activity", "--Activity.database_url="]
    service = subprocess.Popen(
        [sys.executable, "-m", "tornado_service", *command],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            document = read_json(f"{url}{PREFIX}api/openapi.json")
            if len(document.get("tags", [])) > 1:  # Activity is ready
                return document
            time.sleep(0.1)
        raise TimeoutError("The service does not respond with the API of Activity.")
    finally:
        service.terminate()
        service.wait()


def read_json(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            document: dict[str, Any] = json.load(response)
    except urllib.error.URLError:  # it does not listen yet
        return {}
    return document


def operation_lines(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"### {method.upper()} {path}", ""]
    lines += [markdown(f"{operation['summary'].rstrip('.')}."), ""]
    if operation["description"]:
        lines += [markdown(operation["description"]), ""]
    lines += [f"Operation ID: `{operation['operationId']}`. {access(operation)}", ""]
    if operation["parameters"]:
        head = ["parameter", "in", "type", ""]
        lines += [table(head, [parameter_row(each) for each in operation["parameters"]]), ""]
    if body := operation.get("requestBody"):
        lines += [f"Body: {content_type(body['content'])}", ""]
    rows = [
        [
            status,
            content_type(response["content"]) if "content" in response else response["description"],
        ]
        for status, response in operation["responses"].items()
        if "$ref" not in response
    ]
    errors = [status for status, response in operation["responses"].items() if "$ref" in response]
    if errors:
        rows.append([", ".join(errors), "[Error](#error)"])
    return [*lines, table(["status", "response"], rows), ""]


def access(operation: dict[str, Any]) -> str:
    """The scopes that an operation needs."""
    scopes = {
        scope for way in operation.get("security", []) for each in way.values() for scope in each
    }
    own = sorted(scope for scope in scopes if not scope.startswith("access:services"))
    if not scopes:
        return "Open."
    return (
        "Access: users of the service"
        + "".join(f", with the scope `{scope}`" for scope in own)
        + "."
    )


def parameter_row(parameter: dict[str, Any]) -> list[str]:
    schema = parameter["schema"]
    text = parameter.get("description") or schema.get("description", "")
    if not parameter.get("required") and schema.get("default") not in (None, ""):
        text = f"{text} Default: `{schema['default']}`.".strip()
    return [f"`{parameter['name']}`", parameter["in"], type_of(schema), cell(text)]


def content_type(content: dict[str, Any]) -> str:
    return ", ".join(
        type_of(body.get("schema", {}))
        if kind == "application/json"
        else f"`{kind.partition(';')[0]}`"
        for kind, body in content.items()
    )


def model_lines(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", ""]
    if about := schema.get("description"):
        lines += [markdown(about), ""]
    rows = [
        [f"`{field}`", type_of(each), cell(each.get("description", ""))]
        for field, each in schema.get("properties", {}).items()
    ]
    if rows:
        return [*lines, table(["field", "type", ""], rows), ""]
    return [*lines, type_of(schema), ""]


def type_of(schema: dict[str, Any]) -> str:
    """A schema in words; models are links."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{re.sub(r'[^a-z0-9_-]', '', name.lower())})"
    if kinds := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(type_of(kind) for kind in kinds)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any value")
    if kind == "array":
        items = schema.get("items") or {}
        return f"list of {type_of(items)}" if items else "list"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(schema['additionalProperties'])}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)
