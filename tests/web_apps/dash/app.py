"""A Dash app: a button that counts."""

from dash import Dash, Input, Output, callback, dcc, html
from flask import has_request_context, request

app = Dash(__name__, title="Sales")
server = app.server


def layout() -> html.Div:
    headers = request.headers if has_request_context() else {}
    user = headers.get("X-Forwarded-User", "nobody")
    return html.Div(
        [
            html.H1("Sales"),
            html.P(f"Signed in as {user}"),
            html.Button("Add a sale", id="add"),
            html.P(id="sales"),
            dcc.Graph(id="chart"),
        ]
    )


app.layout = layout


@callback(Output("sales", "children"), Output("chart", "figure"), Input("add", "n_clicks"))
def count(clicks: int | None) -> tuple[str, dict]:
    sales = clicks or 0
    return f"{sales} sales", {"data": [{"type": "bar", "x": ["today"], "y": [sales]}]}
