"""The workers of `edged serve`: one tool a thread, a bounded queue, and errors that reach the caller."""

import asyncio
import threading

import pytest

from edged.clock import ManualClock
from edged.ops.heartbeat import Heartbeats
from edged.server.pool import WorkerPool
from edged.server.replies import ApiError

DEADLINE_S = 30.0


class Tool:
    """Remembers the thread it was made in."""

    def __init__(self):
        self.thread = threading.get_ident()


def use(tool):
    assert tool.thread == threading.get_ident()
    return id(tool)


@pytest.fixture
def pool():
    made = WorkerPool("test", workers=2, waiting=2, make_tool=Tool)
    made.start()
    yield made
    assert made.stop(DEADLINE_S)


def test_every_job_runs_in_the_thread_that_made_its_tool(pool):
    async def many():
        return [await pool.run(use) for _ in range(20)]

    assert len(set(asyncio.run(many()))) <= 2


def test_an_error_reaches_the_one_who_asked_and_the_worker_goes_on(pool):
    def fail(tool):
        raise ApiError(222202)

    async def ask():
        with pytest.raises(ApiError):
            await pool.run(fail)
        return await pool.run(use)

    assert asyncio.run(ask())


def test_more_than_may_wait_are_refused_as_busy(pool):
    gate, running = threading.Event(), threading.Semaphore(0)

    def hold(tool):
        running.release()
        gate.wait(DEADLINE_S)
        return "done"

    async def crowd():
        held = [asyncio.ensure_future(pool.run(hold)) for _ in range(2)]
        await asyncio.to_thread(lambda: [running.acquire(timeout=DEADLINE_S) for _ in held])
        waiting = [asyncio.ensure_future(pool.run(use)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as caught:
            await pool.run(use)
        gate.set()
        await asyncio.gather(*held, *waiting)
        return caught.value.code

    assert asyncio.run(crowd()) == 222915


def test_a_job_nobody_waits_for_any_longer_is_not_begun(pool):
    gate, begun = threading.Event(), []

    async def leave():
        held = [asyncio.ensure_future(pool.run(lambda tool: gate.wait(DEADLINE_S))) for _ in range(2)]
        await asyncio.sleep(0)
        left = asyncio.ensure_future(pool.run(begun.append))
        await asyncio.sleep(0)
        while pool.waiting > 1:  # until the workers hold the two before
            await asyncio.sleep(0.001)
        left.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*held)
        await pool.run(use)

    asyncio.run(leave())
    assert begun == []


def test_a_worker_that_does_not_come_back_is_seen():
    clock, gate, begun = ManualClock(), threading.Event(), threading.Event()
    heartbeats = Heartbeats(clock)
    pool = WorkerPool("eyes", 1, 1, Tool, lambda name: heartbeats.register(name, 20.0))
    pool.start()

    def hang(tool):
        begun.set()
        gate.wait(DEADLINE_S)

    async def ask():
        hanging = asyncio.ensure_future(pool.run(hang))
        await asyncio.to_thread(begun.wait, DEADLINE_S)
        clock.advance(21)
        seen = heartbeats.stale()
        gate.set()
        await hanging
        return seen

    assert asyncio.run(ask()) == ["eyes-1"]
    assert pool.stop(DEADLINE_S)


def test_a_tool_that_cannot_be_made_is_told_at_the_start():
    def broken():
        raise RuntimeError("no model")

    pool = WorkerPool("test", workers=2, waiting=1, make_tool=broken)
    with pytest.raises(RuntimeError, match="no model"):
        pool.start()
    assert pool.stop(DEADLINE_S)
