"""A Flask app: a form, a redirect and a session."""

from flask import Flask, redirect, render_template_string, request, session, url_for

app = Flask(__name__)
app.secret_key = "a secret of the app"

PAGE = """<!doctype html>
<title>Sales</title>
<link rel="stylesheet" href="{{ url_for('static', filename='style.css') }}">
<h1>Sales</h1>
<p>Signed in as {{ user }}</p>
<p>{{ sales }} sales</p>
<form method="post"><button>Add a sale</button></form>
"""


@app.get("/")
def home() -> str:
    user = request.headers.get("X-Forwarded-User", "nobody")
    return render_template_string(PAGE, user=user, sales=session.get("sales", 0))


@app.post("/")
def add():
    session["sales"] = session.get("sales", 0) + 1
    return redirect(url_for("home"))


@app.get("/cookies")
def cookies() -> str:
    session["sales"] = 0
    return " ".join(sorted(request.cookies)) or "none"
