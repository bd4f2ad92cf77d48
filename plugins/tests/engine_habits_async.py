"""Habits of those who write their checks for asyncio."""

# ruff: noqa: T201 - the habits that people have are the case itself
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import anyio
import pytest
import pytest_asyncio  # type: ignore[import-not-found]  # is in .venv/others


@pytest_asyncio.fixture  # type: ignore[untyped-decorator]  # see above
async def connection() -> AsyncIterator[str]:
    await asyncio.sleep(0)
    print("connected")
    yield "connection"
    await asyncio.sleep(0)
    print("disconnected")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool() -> AsyncIterator[asyncio.AbstractEventLoop]:
    yield asyncio.get_running_loop()
    await asyncio.sleep(0)


@pytest_asyncio.fixture  # type: ignore[untyped-decorator]  # see above
async def refused() -> None:
    raise ConnectionRefusedError("nobody listens")


@pytest.mark.asyncio
async def test_waits(connection: str) -> None:
    await asyncio.sleep(0.01)
    assert connection == "connection"


@pytest.mark.asyncio
async def test_fails_in_a_task(connection: str) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
        group.create_task(fails())


async def fails() -> None:
    raise LookupError("in a task")


@pytest.mark.asyncio
async def test_cannot_connect(refused: None) -> None: ...


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("number", range(3))
async def test_shares_the_loop(pool: asyncio.AbstractEventLoop, number: int) -> None:
    assert asyncio.get_running_loop() is pool


@pytest.mark.asyncio
async def test_leaves_a_task() -> None:
    _ = asyncio.create_task(asyncio.sleep(100), name="left")  # noqa: RUF006 - this is the case


@pytest.mark.asyncio
class TestClass:
    """Whose methods are asynchronous."""

    async def test_method(self) -> None:
        """A method's docstring."""
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_is_anyios() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_is_nobodys() -> None: ...
