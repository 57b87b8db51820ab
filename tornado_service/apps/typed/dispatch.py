"""The handlers of an app: typed, and with their blocking code in threads."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from threading import get_ident
from typing import Any, ClassVar

from tornado.gen import is_coroutine_function
from tornado.web import RequestHandler

from ...handlers.base import METHODS, APIHandler, BaseHandler
from ..isolation.threads import Threads, contained
from .signature import DeclarationError, Signature


class BoundHandler(BaseHandler):
    """What an app's handler becomes when it is mounted.

    A plain method runs in a thread, and its answer is sent when it has returned.
    """

    threads: ClassVar[Threads]
    #: What its methods take and give, by name (``GET``).
    signatures: ClassVar[dict[str, Signature]]

    _thread: int | None = None
    _finish_is_due = False

    def finish(self, chunk: Any = None) -> Any:
        """Send the answer; from a thread, when the method has returned."""
        if self._thread != get_ident():
            return super().finish(chunk)
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        self._finished = self._finish_is_due = True
        return None

    def flush(self, include_footers: bool = False) -> Any:
        """Send what there is; not from a thread.

        Raises:
            RuntimeError: from a thread.
        """
        if self._thread == get_ident():
            raise RuntimeError("flush() in a plain method, which runs in a thread: use async def")
        return super().flush(include_footers)

    def _answer(self, signature: Signature, value: Any) -> None:
        """Write what a method has returned."""
        if not isinstance(self, APIHandler):
            if value is not None:
                raise TypeError(f"returned a {type(value).__name__}, which only an API may do")
            return
        is_untouched = not (self._write_buffer or self._finished or self._headers_written)
        if value is not None:
            if not is_untouched:
                raise TypeError("returned a value, and has written something besides")
            self.write_json_bytes(signature.dump(value))
        elif is_untouched and self.get_status() == 200:
            self.set_status(204)

    async def _in_thread(self, signature: Signature, call: Callable[[], Any]) -> None:
        def work() -> Awaitable[Any] | None:
            self._thread = get_ident()
            try:
                value = call()
                if inspect.isawaitable(value):
                    return value
                self._answer(signature, value)
                return None
            finally:
                self._thread = None

        try:
            waiting = await self.threads.run(work)
            if waiting is not None:
                self._answer(signature, await waiting)
        finally:
            if self._finish_is_due:
                self._finished = self._finish_is_due = False
                self.finish()


def bind(handler: type[BaseHandler], threads: Threads, **names: Any) -> type[BoundHandler]:
    """Make a handler an app's.

    Args:
        handler: the class as its author wrote it.
        threads: where its plain methods run.
        names: further attributes of the class.

    Raises:
        DeclarationError: the annotations of a method are wrong; the message names it.
    """
    is_api = issubclass(handler, APIHandler)
    signatures: dict[str, Signature] = {}
    for method in (*METHODS, "OPTIONS"):
        function = getattr(handler, method.lower())
        if function is RequestHandler._unimplemented_method or _is_ours(function):
            continue
        with _named(handler, method):
            signatures[method] = Signature(method, function, is_api=is_api)
    methods = {method.lower(): _typed(signature) for method, signature in signatures.items()}
    body = {
        "__module__": handler.__module__,
        "__doc__": handler.__doc__,
        "threads": threads,
        "signatures": signatures,
        **methods,
        **names,
    }
    return type(handler.__name__, (BoundHandler, handler), body)


def check_groups(handler: type[BoundHandler], path: str) -> None:
    """See that the methods of a handler take what the groups of its path give.

    Raises:
        DeclarationError: one does not; the message names it.
    """
    for method, signature in handler.signatures.items():
        with _named(handler, method):
            signature.check_path(path)


@contextlib.contextmanager
def _named(handler: type[BaseHandler], method: str) -> Iterator[None]:
    """Say of a wrong declaration whose it is."""
    try:
        yield
    except DeclarationError as error:
        raise DeclarationError(f"{handler.__name__}.{method.lower()} {error}.") from error


def _is_ours(function: Any) -> bool:
    return function in (BaseHandler.head, BaseHandler.options)


def _typed(signature: Signature) -> Callable[..., Awaitable[None]]:
    """A method that is called with what its signature asks for."""
    function = signature.function

    async def on_loop(self: BoundHandler, *groups: Any, **named: Any) -> None:
        groups, values = await signature.read(self.request, groups, named)
        try:
            self._answer(signature, await function(self, *groups, **values))
        except (SystemExit, KeyboardInterrupt) as error:
            raise contained(error) from error

    async def in_thread(self: BoundHandler, *groups: Any, **named: Any) -> None:
        groups, values = await signature.read(self.request, groups, named)
        await self._in_thread(signature, lambda: function(self, *groups, **values))

    is_async = inspect.iscoroutinefunction(function) or is_coroutine_function(function)
    return functools.wraps(function)(on_loop if is_async else in_thread)
