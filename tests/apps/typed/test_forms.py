"""Forms of pages: parsed by a model; errors are shown next to the input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.apps import StartApps
from tornado_service.app import TornadoService
from tornado_service.testing import ServiceConfig, Visitor

APP = """
import datetime
from pydantic import BaseModel, Field, model_validator
from tornado_service import (
    APIHandler, InvalidRequest, PageHandler, ServiceApp, allow_unauthenticated, needs_scopes
)

class Signup(BaseModel):
    name: str = Field(min_length=2, max_length=20)
    seats: int = Field(1, ge=1, le=5)
    day: datetime.date | None = None
    meals: list[str] = []
    newsletter: bool = False

    @model_validator(mode="after")
    def check(self):
        if self.name == "nobody":
            raise ValueError("nobody signs up")
        return self

class Page(PageHandler):
    def get(self):
        self.write_page("signup.html")

    def post(self, form: Signup):
        if form.name == "taken":
            self.set_header("X-Half", "done")
            self.write("half a page")
            raise InvalidRequest(("name", "This name is taken."))
        self.app.signups.append(form)
        self.redirect(self.app.prefix)

class Numbered(PageHandler):
    async def get(self, number: int):
        self.write_page("signup.html")

    async def post(self, number: int, form: Signup):
        self.app.signups.append(number)

class NoPage(PageHandler):
    def post(self, form: Signup):
        self.app.signups.append(form)

class SecretPage(PageHandler):
    @needs_scopes("admin:users")
    def get(self):
        self.write("secret page")

    def post(self, form: Signup):
        self.app.signups.append(form)

class SignupApp(ServiceApp):
    name = "signup"

    def handlers(self):
        self.signups = []
        return [("", Page), ("([0-9]+)", Numbered), ("no-page", NoPage), ("secret", SecretPage)]
"""
TEMPLATE = """
{% extends "templates/page.html" %}
{% import "templates/forms.html" as forms %}
{% block main %}
{{ forms.error(form) }}
<form method="post"><input type="hidden" name="_xsrf" value="{{ xsrf_token }}">
<input name="name" {{ forms.input(form, "name") }}>{{ forms.error(form, "name") }}
<input name="seats" {{ forms.input(form, "seats", 1) }}>{{ forms.error(form, "seats") }}
</form>
{% endblock %}
"""


@pytest.fixture
def service_config(modules: Path) -> ServiceConfig:
    package = modules / "signup_app"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text(APP)
    (package / "templates" / "signup.html").write_text(TEMPLATE)
    return {"TornadoService": {"apps": ["signup_app:SignupApp"]}}


@pytest.fixture
async def app(service: TornadoService):
    (mounted,) = service.app_manager
    assert mounted.app, mounted.problem
    return mounted.app


@pytest.fixture
async def page(app, visitor: Visitor) -> Visitor:
    await visitor.open("signup/")
    return visitor


async def test_a_form_is_read_by_its_model(app, page: Visitor) -> None:
    response = await page.post(
        "signup/", {"name": "ada", "seats": "3", "day": "2026-01-31", "newsletter": "on"}
    )

    (form,) = app.signups
    assert response.code == 200  # the redirect is followed
    assert (form.name, form.seats, form.day.isoformat()) == ("ada", 3, "2026-01-31")
    assert (form.newsletter, form.meals) == (True, [])


async def test_an_input_that_is_left_empty_has_its_default(app, page: Visitor) -> None:
    await page.post("signup/", {"name": "ada", "seats": "", "day": ""})

    assert (app.signups[0].seats, app.signups[0].day) == (1, None)


async def test_errors_stand_next_to_their_inputs_and_the_entered_values_are_kept(
    app, page: Visitor
) -> None:
    response = await page.post("signup/", {"name": "<x>", "seats": "9"})

    assert response.code == 400
    assert app.signups == []
    assert 'value="&lt;x&gt;" class="form-control"' in page.page
    assert 'value="9" class="form-control is-invalid"' in page.page
    assert 'aria-invalid="true" aria-describedby="seats-error"' in page.page
    assert '<div id="seats-error" class="invalid-feedback d-block">' in page.page
    assert "less than or equal to 5" in page.page


@pytest.mark.parametrize(
    ("name", "message"), [("nobody", "nobody signs up"), ("taken", "This name is taken.")]
)
async def test_so_do_errors_of_the_whole_form_and_of_the_method(
    page: Visitor, name: str, message: str
) -> None:
    response = await page.post("signup/", {"name": name})

    assert response.code == 400
    assert message in page.page
    assert f'value="{name}"' in page.page
    assert "half a page" not in page.page
    assert "X-Half" not in response.headers


async def test_the_page_gets_the_groups_of_the_path(app, page: Visitor) -> None:
    response = await page.post("signup/7", {"name": ""})

    assert response.code == 400
    assert "name-error" in page.page
    await page.post("signup/7", {"name": "ada"})
    assert app.signups == [7]


@pytest.mark.parametrize("path", ["no-page", "secret"])
async def test_without_a_page_for_this_user_the_response_is_an_error_page(
    app, page: Visitor, path: str
) -> None:
    response = await page.post(f"signup/{path}", {"name": ""})

    assert response.code == 400
    assert "secret page" not in page.page
    assert "Bad Request" in page.page


async def test_a_form_without_the_xsrf_token_is_refused(app, page: Visitor) -> None:
    response = await page.open(
        "signup/",
        method="POST",
        body="name=ada",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert response.code == 403
    assert app.signups == []


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        ("APIHandler): \n    def post(self, form: Signup): ...", "which only pages have"),
        ("PageHandler): \n    def get(self, form: Signup): ...", "GET requests do not have"),
        ("PageHandler): \n    def post(self, form): ...", "where a pydantic model is needed"),
        ("PageHandler): \n    def post(self, body: Signup): ...", "is named form"),
    ],
)
async def test_a_form_where_none_can_be_is_an_error_of_the_app(
    start_apps: StartApps, modules: Path, handler: str, problem: str
) -> None:
    code = APP.replace('("", Page)', '("", Wrong)').replace(
        "class SignupApp", f"class Wrong({handler}\n\nclass SignupApp"
    )
    (modules / "wrong_app.py").write_text(code)

    (mounted,) = (await start_apps("wrong_app:SignupApp")).app_manager

    assert problem in mounted.problem
