"""The jupyter-server image, through the Python SDK's CodeInterpreter."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.local_blaxel import Server, close_clients, new_name
from tests.support.waiting import wait_until


@pytest.fixture
async def interpreter(sdk: Any, server: Server) -> AsyncIterator[Any]:
    from blaxel.core.sandbox import CodeInterpreter

    # Its check that the sandbox answers leaves a client open that nobody can close.
    interpreter = await CodeInterpreter.create({"name": new_name()}, safe=False)
    yield interpreter
    await CodeInterpreter.delete(interpreter.metadata.name)
    await close_clients(interpreter)


async def test_state_is_kept_between_runs(interpreter):
    await interpreter.run_code("import math\nx = 20")

    ran = await interpreter.run_code("x += 1\nx * 2")

    assert [result.text for result in ran.results] == ["42"]
    assert ran.execution_count == 2
    assert ran.error is None


async def test_output_comes_by_stream_also_that_of_programs(interpreter):
    heard = []
    code = "import os, sys\nprint('åäö')\nos.system('echo program')\nprint('bad', file=sys.stderr);"

    ran = await interpreter.run_code(code, on_stdout=lambda message: heard.append(message.text))

    assert "".join(ran.logs.stdout) == "åäö\nprogram\n"
    assert "".join(ran.logs.stderr) == "bad\n"
    assert "".join(heard) == "".join(ran.logs.stdout)


async def test_an_error_has_its_traceback_and_leaves_the_state(interpreter):
    await interpreter.run_code("y = 1")

    ran = await interpreter.run_code("def f():\n    return y / 0\nf()")

    assert (ran.error.name, ran.error.value) == ("ZeroDivisionError", "division by zero")
    assert "return y / 0" in ran.error.traceback
    assert "interpreter.py" not in ran.error.traceback
    assert (await interpreter.run_code("y")).results[0].text == "1"


async def test_contexts_have_each_their_own_state_and_folder(interpreter):
    context = await interpreter.create_code_context(cwd="/tmp")
    await interpreter.run_code("z = 'mine'", context=context)

    elsewhere = await interpreter.run_code("z")
    folder = await interpreter.run_code("import os\nos.getcwd(), z", context=context)

    assert elsewhere.error.name == "NameError"
    assert folder.results[0].text == "('/tmp', 'mine')"


async def test_environment_variables_are_there_for_one_run(interpreter):
    await interpreter.run_code("import os")

    with_it = await interpreter.run_code("os.environ['COLOUR']", envs={"COLOUR": "red"})
    without = await interpreter.run_code("os.environ.get('COLOUR', 'none')")

    assert (with_it.results[0].text, without.results[0].text) == ("'red'", "'none'")


async def test_code_may_await(interpreter):
    ran = await interpreter.run_code("import asyncio\nawait asyncio.sleep(0, 'awaited')")

    assert ran.results[0].text == "'awaited'"


async def test_exit_is_an_error_and_a_crash_starts_anew(interpreter):
    left = await interpreter.run_code("exit(3)")
    crashed = await interpreter.run_code("import os\nos._exit(4)")

    after = await interpreter.run_code("1 + 1")

    assert left.error.name == "SystemExit"
    assert "ended with 4" in crashed.error.value
    assert after.results[0].text == "2"


async def test_a_client_that_gives_up_ends_its_code(interpreter):
    await interpreter.run_code("import time\nready = True")
    with pytest.raises(httpx.ReadTimeout):
        await interpreter.run_code("time.sleep(1000)", timeout=0.5)

    async with asyncio.timeout(60):
        after = await interpreter.run_code("ready")

    assert after.results[0].text == "True"


async def test_another_language_is_refused(interpreter):
    with pytest.raises(RuntimeError, match="language cobol is not supported"):
        await interpreter.create_code_context(language="cobol")


async def test_standby_keeps_the_state(interpreter, server):
    await interpreter.run_code("kept = 'through standby'")
    wait_until(lambda: server.sleeps(interpreter.metadata.name))

    ran = await interpreter.run_code("kept")

    assert ran.results[0].text == "'through standby'"
