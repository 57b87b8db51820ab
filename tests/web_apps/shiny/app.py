"""A Shiny app: a button that counts."""

from shiny import App, Inputs, Outputs, Session, render, ui

app_ui = ui.page_fluid(
    ui.h1("Sales"),
    ui.output_text("user"),
    ui.input_action_button("add", "Add a sale"),
    ui.output_text("sales"),
    title="Sales",
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @render.text
    def user() -> str:
        return f"Signed in as {session.http_conn.headers.get('x-forwarded-user', 'nobody')}"

    @render.text
    def sales() -> str:
        return f"{input.add()} sales"


app = App(app_ui, server)
