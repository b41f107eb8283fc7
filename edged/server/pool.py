"""A bounded number of threads that each own a tool, and a bounded number of jobs waiting for them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from edged.server.replies import ApiError

Tool = TypeVar("Tool")
Result = TypeVar("Result")
_BUSY = 222915


def _unwatched(name: str) -> Callable[[], None]:
    return lambda: None


class WorkerPool(Generic[Tool]):
    """Threads that each make a tool (networks belong to one thread) and then do jobs with it, in order.

    Args:
        name: first part of the names of its threads.
        workers: number of threads.
        waiting: most jobs that may wait; one more raises.
        make_tool: called once in every thread.
        watch: makes, for the name of a thread, the function that the thread calls in each round.
    """

    def __init__(
        self,
        name: str,
        workers: int,
        waiting: int,
        make_tool: Callable[[], Tool],
        watch: Callable[[str], Callable[[], None]] = _unwatched,
    ) -> None:
        self._make_tool = make_tool
        self._watch = watch
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[Tool], Any]]] = queue.Queue(waiting)
        self._stopping = threading.Event()
        self._ready = [Future[None]() for _ in range(workers)]
        self._threads = [
            threading.Thread(target=self._work, args=(ready,), name=f"{name}-{number}", daemon=True)
            for number, ready in enumerate(self._ready, 1)
        ]

    def start(self) -> None:
        """Start the threads and wait until each has its tool. Raises the error of `make_tool`."""
        for thread in self._threads:
            thread.start()
        for ready in self._ready:
            ready.result()

    @property
    def waiting(self) -> int:
        """Number of jobs that no thread has taken yet."""
        return self._jobs.qsize()

    async def run(self, job: Callable[[Tool], Result]) -> Result:
        """Do `job` in one of the threads. Raises ApiError 222915 when too many are waiting already."""
        future: Future[Result] = Future()
        try:
            self._jobs.put_nowait((future, job))
        except queue.Full:
            raise ApiError(_BUSY) from None
        return await asyncio.wrap_future(future)

    def stop(self, timeout_s: float) -> bool:
        """Finish the jobs in progress, drop those waiting. True: every thread ended in time."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, ready: Future[None]) -> None:
        try:
            tool = self._make_tool()
        except Exception as error:  # noqa: BLE001 - goes to start(), which raises it
            ready.set_exception(error)
            return
        beat = self._watch(threading.current_thread().name)
        ready.set_result(None)
        while not self._stopping.is_set():
            beat()
            try:
                future, job = self._jobs.get(timeout=0.2)  # so that every thread notices stopping
            except queue.Empty:
                continue
            _do(future, job, tool)


def _do(future: Future[Any], job: Callable[[Any], Any], tool: Any) -> None:
    if not future.set_running_or_notify_cancel():  # the client has gone while this was waiting
        return
    try:
        future.set_result(job(tool))
    except Exception as error:  # noqa: BLE001 - goes to the caller of run()
        future.set_exception(error)
