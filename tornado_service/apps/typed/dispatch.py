"""The handlers of an app: typed, with blocking code in threads."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache, partial, wraps
from threading import get_ident
from typing import Any, ClassVar

from tornado.gen import is_coroutine_function
from tornado.web import RequestHandler

from ...auth.decorators import METHODS, access_of
from ...handlers.base import APIHandler, BaseHandler
from ...handlers.errors import InvalidRequest
from ...handlers.templates import FormState
from ..isolation.threads import ThreadPool, as_request_error
from .signature import DeclarationError, Signature

#: Kept, as a start of an app that fails is repeated, and pydantic takes most of its time.
_signature_of = lru_cache(maxsize=1000)(Signature)


class TypedHandler(BaseHandler):
    """The mixin of an app's mounted handlers.

    A plain method runs in a thread, and its response is sent after it has returned.
    """

    thread_pool: ClassVar[ThreadPool]
    #: The signatures of its methods, by HTTP method (``GET``).
    signatures: ClassVar[dict[str, Signature]]

    _thread_id: int | None = None
    _finish_deferred = False

    def finish(self, chunk: Any = None) -> Any:
        """Send the response; if called in a thread, after the method has returned."""
        if self._thread_id != get_ident():
            return super().finish(chunk)
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        self._finished = self._finish_deferred = True
        return None

    def flush(self, include_footers: bool = False) -> Any:
        """Send buffered data; not from a thread.

        Raises:
            RuntimeError: called from a thread.
        """
        if self._thread_id == get_ident():
            raise RuntimeError("flush() in a plain method, which runs in a thread: use async def")
        return super().flush(include_footers)

    def _write_result(self, signature: Signature, value: Any) -> None:
        if not isinstance(self, APIHandler):
            if value is not None:
                raise TypeError(
                    f"{signature.name} returned a {type(value).__name__}, which only an API"
                    " can return"
                )
            return
        is_untouched = not (self._write_buffer or self._finished or self._headers_written)
        if value is not None:
            if not is_untouched:
                raise TypeError(
                    f"{signature.name} returned a value, and has written to the response as well"
                )
            self.write_json_bytes(signature.dump(value))
        elif is_untouched and self.get_status() == 200:
            self.set_status(204)

    async def _show_form_again(
        self, error: InvalidRequest, groups: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        """Respond with the handler's own page, which has the errors and the entered values.

        Raises:
            InvalidRequest: the handler has no page for this user.
        """
        access = access_of(type(self), "GET")  # type: ignore[arg-type]
        user = self.current_user
        is_allowed = access is not None and (
            access.allows_anonymous
            or (user is not None and not self.hub_auth.missing_scopes(access.scopes, user))
        )
        if not is_allowed or self._finished or self._headers_written:
            raise error
        self.clear()  # discards what the method has written before
        sent = self.request.body_arguments.items()
        self.form = FormState(
            {
                name: [value.decode(errors="replace") for value in values]
                for name, values in sent
                if name != "_xsrf"
            },
            {row["field"]: row["problem"] for row in error.errors},
        )
        self.set_status(400)
        page: Any = self.get(*groups, **named)
        await page

    async def _run_in_thread(self, signature: Signature, call: Callable[[], Any]) -> None:
        try:
            waiting = await self.thread_pool.run(partial(self._call_in_thread, signature, call))
            if waiting is not None:
                self._write_result(signature, await waiting)
        finally:
            if self._finish_deferred:
                self._finished = self._finish_deferred = False
                self.finish()

    def _call_in_thread(self, signature: Signature, call: Callable[[], Any]) -> Any:
        """Call a plain method and write its result, or return an awaitable for that."""
        self._thread_id = get_ident()
        try:
            value = call()
            if inspect.isawaitable(value):
                return value
            self._write_result(signature, value)
            return None
        finally:
            self._thread_id = None


def make_typed_handler(
    handler: type[BaseHandler], thread_pool: ThreadPool, **names: Any
) -> type[TypedHandler]:
    """Create the handler class for an app.

    Args:
        handler: the class as its author wrote it.
        thread_pool: runs its plain methods.
        names: further attributes of the class.

    Raises:
        DeclarationError: the annotations of a method are invalid; the message names it.
    """
    is_api = issubclass(handler, APIHandler)
    signatures: dict[str, Signature] = {}
    for method in (*METHODS, "OPTIONS"):
        function = getattr(handler, method.lower())
        if function is RequestHandler._unimplemented_method or _is_inherited(function):
            continue
        with _naming_method(handler, method):
            signatures[method] = _signature_of(method, function, is_api=is_api)
    if unknown := handler.operation_ids.keys() - {method.lower() for method in signatures}:
        raise DeclarationError(
            f"{handler.__name__}.operation_ids names {', '.join(sorted(unknown))}, which is none of"
            " its methods"
        )
    methods = {method.lower(): _make_method(signature) for method, signature in signatures.items()}
    body = {
        "__module__": handler.__module__,
        "__doc__": handler.__doc__,
        "thread_pool": thread_pool,
        "signatures": signatures,
        **methods,
        **names,
    }
    return type(handler.__name__, (TypedHandler, handler), body)


def check_path_groups(handler: type[TypedHandler], path: str) -> None:
    """Check that the methods of a handler accept the groups of its path.

    Raises:
        DeclarationError: one does not; the message names it.
    """
    for method, signature in handler.signatures.items():
        with _naming_method(handler, method):
            signature.check_path(path)


@contextlib.contextmanager
def _naming_method(handler: type[BaseHandler], method: str) -> Iterator[None]:
    """Add the name of the method to a declaration error."""
    try:
        yield
    except DeclarationError as error:
        raise DeclarationError(f"{handler.__name__}.{method.lower()} {error}.") from error


def _is_inherited(function: Any) -> bool:
    return function in (BaseHandler.head, BaseHandler.options)


def _make_method(signature: Signature) -> Callable[..., Awaitable[None]]:
    """A method that is called with the arguments that its signature declares."""
    function = signature.function
    is_async = inspect.iscoroutinefunction(function) or is_coroutine_function(function)

    async def run(self: TypedHandler, call: Callable[..., Any]) -> None:
        if not is_async:
            await self._run_in_thread(signature, call)
            return
        try:
            self._write_result(signature, await call())
        except (SystemExit, KeyboardInterrupt) as error:
            raise as_request_error(error) from error

    @wraps(function)
    async def method(self: TypedHandler, *groups: Any, **named: Any) -> None:
        call: Callable[..., Any] = signature.bind(self, groups, named)
        if signature.form is not None:
            try:
                form = signature.form.read(self.request.body_arguments)
                await run(self, partial(call, form=form))
            except InvalidRequest as error:
                await self._show_form_again(error, groups, named)
            return
        if signature.body is not None:
            body = await signature.body.read(self.request.headers, self.request.body)
            if body is not None:
                call = partial(call, body=body)
        await run(self, call)

    return method
