"""A Panel app: a button that counts."""

import panel as pn

headers = {name.lower(): value for name, value in (pn.state.headers or {}).items()}
button = pn.widgets.Button(name="Add a sale")

pn.Column(
    "# Sales",
    f"Signed in as {headers.get('x-forwarded-user', 'nobody')}",
    button,
    pn.bind(lambda clicks: f"{clicks} sales", button.param.clicks),
).servable(title="Sales")
