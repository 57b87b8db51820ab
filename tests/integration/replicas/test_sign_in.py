"""Sign-in and sign-out over several replicas."""

from __future__ import annotations

from urllib.parse import urljoin

from tornado.httpclient import AsyncHTTPClient

from tests.support.replicated.deployment import Deployment, until
from tests.support.replicated.nginx import UPSTREAM_HEADER
from tests.support.replicated.replica import at_replica
from tornado_service.testing import Visitor
from tornado_service.testing.http_browser import Browse


class TrackedVisitor(Visitor):
    """A browser that remembers which replicas have responded."""

    def watch(self) -> list[str]:
        self.upstreams: list[str] = []
        return self.upstreams

    async def get(self, address: str, **more):
        response = await super().get(address, **more)
        if "/services/" in urljoin(self.home, address):
            self.upstreams.append(response.headers[UPSTREAM_HEADER])
        return response


async def test_a_sign_in_whose_steps_reach_different_replicas_succeeds_100_of_100(
    deployment: Deployment, client: AsyncHTTPClient
) -> None:
    hub = deployment.hub
    host = f"127.0.0.1:{hub.port}"
    origin = f"http://{host}"
    page = hub.service_prefix + "home"
    replicas = {replica.address for replica in deployment.replicas}
    seen = set()
    for number in range(100):
        visitor = TrackedVisitor(
            client, origin, host=f"127.0.0.1:{hub.port}", home=hub.service_prefix
        )
        upstreams = visitor.watch()

        response = await visitor.sign_in(page, "sam" if number % 2 else "kim")

        assert response.code == 200, visitor.page
        assert visitor.address == page
        # the page, the callback and the page again
        assert len(upstreams) == 3
        assert upstreams[0] != upstreams[1] != upstreams[2]
        seen |= set(upstreams)
    assert seen == replicas


async def test_after_a_sign_out_all_replicas_refuse_a_copy_of_the_cookie(
    deployment: Deployment, browse: Browse
) -> None:
    visitor = browse(deployment.hub)
    await visitor.sign_in(deployment.hub.service_prefix + "home", "sam")
    copies = [at_replica(visitor, replica) for replica in deployment.replicas]
    for copy in copies:  # now their caches have the identity
        assert (await copy.fetch("api/user")).code == 200

    assert (await visitor.post("logout")).code == 200

    for copy in copies:
        # well before the caches end, after 60 s
        await until(lambda copy=copy: refuses(copy))


async def refuses(copy: Visitor) -> bool:
    return (await copy.fetch("api/user")).code in (401, 403)


async def test_a_sign_out_ends_the_users_streams_on_all_replicas(
    deployment: Deployment, browse: Browse
) -> None:
    visitor = browse(deployment.hub)
    await visitor.sign_in(deployment.hub.service_prefix + "home", "kim")
    first, second, third = (at_replica(visitor, replica) for replica in deployment.replicas)
    path = "board/api/events"
    async with first.listen(path) as a, second.listen(path) as b, third.listen(path) as c:
        assert [a.code, b.code, c.code] == [200, 200, 200]

        await visitor.post("logout")

        for stream in (a, b, c):
            *_, last = [event async for event in stream]
            assert last.name == "end"
            assert last.json == {"reason": "signed-out", "retry": False}


async def test_a_new_sign_in_after_a_sign_out_is_not_refused(
    deployment: Deployment, browse: Browse
) -> None:
    visitor = browse(deployment.hub)
    await visitor.sign_in(deployment.hub.service_prefix + "home", "sam")
    await visitor.post("logout")

    again = browse(deployment.hub)
    assert (await again.sign_in(deployment.hub.service_prefix + "home", "sam")).code == 200
    for replica in deployment.replicas:
        assert (await at_replica(again, replica).fetch("api/user")).code == 200


async def test_a_sign_in_survives_the_replacement_of_all_replicas(
    deployment: Deployment, browse: Browse
) -> None:
    """The state of a sign-in is in the browser alone."""
    visitor = browse(deployment.hub)
    response = await visitor.get(deployment.hub.service_prefix + "home")
    assert response.code == 302

    assert deployment.replace_all() == [0, 0, 0]

    target = response.headers["Location"]
    assert (await visitor.sign_in(target, "sam")).code == 200
    assert visitor.address == deployment.hub.service_prefix + "home"
