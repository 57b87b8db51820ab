"""A Gradio app: a stream of answers, a file that is uploaded, and one that is downloaded."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr


def signed_in(request: gr.Request) -> str:
    return f"Signed in as {request.headers.get('x-forwarded-user', 'nobody')}"


def count(sales: float) -> Iterator[str]:
    for number in range(1, int(sales) + 1):
        yield f"{number} sales"


def measure(path: str | None) -> str:
    return f"{Path(path).stat().st_size} bytes" if path else ""


with gr.Blocks(title="Sales", analytics_enabled=False) as demo:
    gr.Markdown("# Sales")
    who = gr.Markdown()
    demo.load(signed_in, outputs=who)
    sales = gr.Number(3, label="Sales", precision=0)
    counted = gr.Textbox(label="Counted")
    gr.Button("Count").click(count, sales, counted)
    file = gr.File(label="Report")
    size = gr.Textbox(label="Size")
    file.upload(measure, file, size)

if __name__ == "__main__":
    demo.launch()
