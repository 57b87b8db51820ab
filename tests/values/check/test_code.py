"""Code in values is parsed as Python."""

import textwrap

import pytest

from tests.support.values import INGRESS, check, load
from tornado_service.values.site import ValuesFinding

USER = 'if role["name"] == "user":'

#: Code as in public configurations of hubs.
HARMLESS = {
    "append": """
        c.JupyterHub.services.append({"name": "grader", "api_token": "0123456789"})
        c.JupyterHub.load_roles.append({"name": "grader", "scopes": [], "services": ["grader"]})
    """,
    "a list with a star over several lines": """
        c.JupyterHub.load_roles = [
            *c.JupyterHub.load_roles,
            {"name": "tutors", "scopes": ["list:users!group=class-a"], "groups": ["tutors"]},
        ]
    """,
    "plus": """
        c.JupyterHub.load_roles = c.JupyterHub.load_roles + [
            {"name": "tutors", "scopes": ["list:users"], "groups": ["tutors"]}
        ]
    """,
    "plus behind a bracket": """
        c.JupyterHub.load_roles = (
            [{"name": "tutors", "scopes": ["list:users"]}] + c.JupyterHub.load_roles
        )
    """,
    "in place": """
        c.JupyterHub.services += [{"name": "prometheus", "api_token": "0123456789"}]
        c.JupyterHub.load_roles += [{"name": "prometheus", "services": ["prometheus"]}]
    """,
    "extend": """
        import json
        course = json.loads("{}")
        c.JupyterHub.services.extend(course.get("services", []))
        c.JupyterHub.load_roles.extend(course.get("roles", []))
    """,
    "a role called user that keeps its scopes": """
        c.JupyterHub.load_roles.append({"name": "user"})
        c.JupyterHub.load_roles.append({"name": "user", "description": "everybody here"})
    """,
    "insert": 'c.JupyterHub.load_roles.insert(0, {"name": "tutors", "scopes": ["list:users"]})',
    "a copy": """
        roles = list(c.JupyterHub.load_roles)
        roles.append({"name": "tutors", "scopes": ["list:users"]})
        c.JupyterHub.load_roles = roles
    """,
    "services through a variable": """
        services = c.JupyterHub.services
        for number, course in enumerate(["a", "b"]):
            services.append({"name": f"course-{course}", "url": f"http://{course}:{9000 + number}"})
        c.JupyterHub.services = services
    """,
    "a comprehension": "c.JupyterHub.services = [s for s in c.JupyterHub.services if s['name']]",
    "a function": """
        def with_tutors(roles):
            return [*roles, {"name": "tutors", "scopes": ["list:users"]}]
        c.JupyterHub.load_roles = with_tutors(c.JupyterHub.load_roles)
    """,
    "a function that reads the setting": """
        def all_roles():
            return [*c.JupyterHub.load_roles, {"name": "tutors", "scopes": ["list:users"]}]
        c.JupyterHub.load_roles = all_roles()
    """,
    "two names for it": """
        hub = c.JupyterHub
        hub.services = hub.services + [{"name": "a", "api_token": "0123456789"}]
        c["JupyterHub"]["load_roles"] = c["JupyterHub"]["load_roles"] + []
    """,
    "set where it is not": """
        if not isinstance(c.JupyterHub.load_roles, list):
            c.JupyterHub.load_roles = []
        if not c.JupyterHub.services:
            c.JupyterHub.services = []
        if "services" not in c.JupyterHub:
            c.JupyterHub.services = []
    """,
    "set where adding fails": """
        try:
            c.JupyterHub.services.append({"name": "a", "api_token": "0123456789"})
        except AttributeError:
            c.JupyterHub.services = [{"name": "a", "api_token": "0123456789"}]
    """,
    "got": """
        c.JupyterHub.load_roles = c.JupyterHub.get("load_roles", []) + []
        c.JupyterHub.services = getattr(c.JupyterHub, "services", []) or []
        c.JupyterHub.setdefault("services", [])
    """,
    "itertools": """
        import itertools
        c.JupyterHub.load_roles = list(itertools.chain(c.JupyterHub.load_roles, []))
    """,
    "a slice of it": "c.JupyterHub.load_roles[len(c.JupyterHub.load_roles):] = [{'name': 'abc'}]",
    "to the role named user": f"""
        for role in c.JupyterHub.load_roles:
            {USER}
                role["scopes"].append("list:groups")
                break
    """,
    "more for the role named user": f"""
        for role in c.JupyterHub.load_roles:
            {USER}
                role["scopes"] = [*role["scopes"], "list:groups"]
                role["scopes"] = role["scopes"] + ["read:groups"]
                role["scopes"] = sorted({{*role["scopes"], "read:hub"}})
    """,
    "the role named user, found": """
        user = next((r for r in c.JupyterHub.load_roles if r["name"] == "user"), None)
        if user is None:
            c.JupyterHub.load_roles.append({"name": "user", "scopes": ["self", "list:groups"]})
        else:
            user["scopes"].append("list:groups")
    """,
    "the role user with self in a variable": """
        base = ["self"]
        scopes = base + [f"access:services!service={room}" for room in ["red", "blue"]]
        c.JupyterHub.load_roles.append({"name": "user", "scopes": scopes})
    """,
    "the role user with scopes that are not known": """
        import os
        c.JupyterHub.load_roles.append({"name": "user", "scopes": os.environ["S"].split(",")})
    """,
    "a dict of roles": """
        roles = {role["name"]: role for role in c.JupyterHub.load_roles}
        if "user" in roles:
            roles["user"]["scopes"] = list(dict.fromkeys([*roles["user"]["scopes"], "read:hub"]))
    """,
    "a user of another kind": """
        c.JupyterHub.load_groups = {"staff": {"users": ["user"]}}
        c.JupyterHub.load_roles.append({"name": "staff", "scopes": [], "users": ["user"]})
        person = {"name": "user", "admin": True}
    """,
    "words in a comment and a text": '''
        # c.JupyterHub.load_roles = []
        """
        c.JupyterHub.services = []
        load_roles "user"
        """
    ''',
    "lists of others": """
        c.KubeSpawner.services = []
        c.Spawner.load_roles = []
        services = []
        load_roles = [{"name": "user", "scopes": []}]
        spawner = object()
    """,
    "a class and hooks": """
        from kubespawner import KubeSpawner

        class CustomSpawner(KubeSpawner):
            async def start(self):
                self.log.info("%s", self.user.name)
                return await super().start()

        c.JupyterHub.spawner_class = CustomSpawner
        c.KubeSpawner.pre_spawn_hook = lambda spawner: None
    """,
    "what a tool fills in before Helm": "c.JupyterHub.load_roles = {{ roles | tojson }}",
    "a shell's placeholder": "c.JupyterHub.bind_url = ${URL}",
    "nothing": "",
}

#: Code by the finding about it.
HARMFUL = {
    "load_roles is replaced": {
        "a list": "c.JupyterHub.load_roles = []",
        "over several lines": """
        c.JupyterHub.load_roles = [
            # more than c.JupyterHub.load_roles
            {"name": "tutors", "scopes": ["list:users"], "groups": ["tutors"]},
        ]
        """,
        "a function": """
        from courses import make_roles
        c.JupyterHub.load_roles = make_roles(["a", "b"])
        """,
        "by another name": "hub = c.JupyterHub\nhub.load_roles = []",
        "cleared": "roles = c.JupyterHub.load_roles\nroles.clear()",
        "deleted": "del c.JupyterHub.load_roles",
        "merged": 'c.merge({"JupyterHub": {"load_roles": []}})',
        "both lists": "c.JupyterHub.services = c.JupyterHub.load_roles = []",
    },
    "services is replaced": {
        "services": 'c.JupyterHub.services = [{"name": "a", "api_token": "0123456789"}]',
        "through a variable": """
        services = []
        services.append({"name": "a", "api_token": "0123456789"})
        c.JupyterHub.services = services
        """,
        "by its key": 'c["JupyterHub"]["services"] = []',
        "two at once": "h = c.JupyterHub\nh.services, h.load_roles = [], h.load_roles",
        "with a type": "c.JupyterHub.services: list = []",
        "in place": "c.JupyterHub.services[:] = []",
        "setattr": "setattr(c.JupyterHub, 'services', [])",
        "updated": "c.JupyterHub.update(services=[])",
        "for some": "import os\nif os.environ.get('COURSES'):\n    c.JupyterHub.services = []",
    },
    "no user can start a server": {
        "the role user without self": (
            'c.JupyterHub.load_roles.append({"name": "user", "scopes": ["list:groups"]})'
        ),
        "the role user, made of parts": """
        rooms = ["red", "blue"]
        extra = ["list:groups"]
        c.JupyterHub.load_roles += [dict(
            name="user", scopes=extra + [f"access:services!service={room}" for room in rooms],
        )]
        """,
        "the role user, changed": f"""
        # "self" is gone
        for role in c.JupyterHub.load_roles:
            {USER}
                role["scopes"] = ["list:groups"]
        """,
        "the role user in a dict": """
        roles = {role["name"]: role for role in c.JupyterHub.load_roles}
        roles["user"]["scopes"] = list({"list:groups"})
        """,
    },
    "Invalid role name: 'Tutors'": {
        "": 'c.JupyterHub.load_roles.append(dict(name="Tutors", scopes=[]))'
    },
    "cannot read it": {"no Python": "c.JupyterHub.services.append({"},
}


def found_in(code: str) -> list[ValuesFinding]:
    site = {"hub": {"extraConfig": {"mine": textwrap.dedent(code)}}}
    return check([*load(*INGRESS), ("config.yaml", site)])


@pytest.mark.parametrize("name", HARMLESS)
def test_code_that_does_no_harm_is_no_finding(name: str) -> None:
    assert found_in(HARMLESS[name]) == []


@pytest.mark.parametrize(
    ("says", "name"), [(says, name) for says, codes in HARMFUL.items() for name in codes]
)
def test_code_that_does_harm_is_found(says: str, name: str) -> None:
    findings = found_in(HARMFUL[says][name])
    keys = [finding.key for finding in findings if says in finding.consequence]
    assert "hub.extraConfig.mine" in keys, findings


def test_pieces_run_one_after_the_other_in_one_namespace() -> None:
    pieces = {
        "20-set": "c.JupyterHub.services = services",
        "10-more": "services.append({'name': 'a', 'api_token': '0123456789'})",
        "00-begin": "services = list(c.JupyterHub.services)",
    }
    assert check([*load(*INGRESS), ("config.yaml", {"hub": {"extraConfig": pieces}})]) == []


def test_files_of_configuration_are_code_too() -> None:
    file = {
        "mountPath": "/usr/local/etc/jupyterhub/jupyterhub_config.d/roles.py",
        "stringData": "c.JupyterHub.load_roles = []",
    }
    site = {"hub": {"extraFiles": {"roles": file, "page": {**file, "mountPath": "/srv/page.py"}}}}
    (finding,) = check([*load(*INGRESS), ("config.yaml", site)])
    assert finding.key == "hub.extraFiles.roles.stringData"


def test_what_was_empty_can_be_replaced() -> None:
    files = load(*INGRESS)
    files[0][1]["hub"]["loadRoles"] = {}
    site = {
        "cull": {"enabled": False},
        "hub": {
            "services": {"tornado-service": {"admin": True}},
            "extraConfig": {"mine": "c.JupyterHub.load_roles = []"},
        },
    }
    assert check([*files, ("config.yaml", site)]) == []


@pytest.mark.parametrize(
    "code",
    [
        'c.JupyterHub.load_roles.append({"name": "all", "scopes": ["access:services"]})',
        'name = "tornado-service"\nscope = f"access:services!service={name}"',
        'scope = "access:services!service=" + "tornado-service"',
        'scope = "access:services!service={}".format("tornado-service")',
        'scope = "access:services!service=%s" % "tornado-service"',
    ],
)
def test_code_that_grants_access_is_found_however_it_is_written(code: str) -> None:
    site = {"hub": {"extraConfig": {"~tornado-service-access": "", "mine": code}}}
    assert check([*load(*INGRESS), ("config.yaml", site)]) == []


def test_code_that_grants_no_access() -> None:
    comment = "# access:services!service=tornado-service"
    site = {"hub": {"extraConfig": {"~tornado-service-access": comment}}}
    (finding,) = check([*load(*INGRESS), ("config.yaml", site)])
    assert "only admins can open it" in finding.consequence


@pytest.mark.parametrize(
    "code",
    [
        "c.JupyterHub.x = " + " + ".join(["[]"] * 5000),
        "x = " + "-" * 5000 + "1",
        "\n".join(f"v{n} = v{n - 1} + v{n - 1}" for n in range(1, 2000))
        + "\nc.JupyterHub.x = v1999",
        "a = b\nb = a\na = a",
        "\n".join(f"{'    ' * n}if x:" for n in range(90)) + f"\n{'    ' * 90}pass",
        'f""',
        "setattr()\ndelattr(c.JupyterHub)",
    ],
)
def test_no_code_is_too_much(code: str) -> None:
    assert found_in(f"{code}\nc.JupyterHub.load_roles += []\n") == []
