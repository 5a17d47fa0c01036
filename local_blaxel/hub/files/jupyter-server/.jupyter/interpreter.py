"""Runs code, one JSON object a line, in one namespace; tells on standard output what comes of it.

What the code prints, and what programs print that it starts, is caught at the file descriptors.
"""

from __future__ import annotations

import ast
import asyncio
import codecs
import inspect
import json
import linecache
import os
import sys
import threading
import traceback
from typing import Any

# Written after each run into what it printed to, so that the end of that is known.
MARK = b"\0\xffend of run\xff\0"
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Teller:
    def __init__(self) -> None:
        self._output = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lock = threading.Lock()

    def tell(self, kind: str, **fields: Any) -> None:
        with self._lock:
            self._output.write(json.dumps({"type": kind, **fields}) + "\n")
            self._output.flush()


class Caught:
    """What is written to a file descriptor, told as it comes."""

    def __init__(self, kind: str, fd: int, teller: Teller) -> None:
        self._kind, self._fd, self._teller = kind, fd, teller
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ended = threading.Event()
        self._reading, writing = os.pipe()
        os.dup2(writing, fd)
        os.close(writing)
        threading.Thread(target=self._read, daemon=True).start()

    def finish(self) -> None:
        """Return once everything written so far was told."""
        self._ended.clear()
        os.write(self._fd, MARK)
        self._ended.wait()

    def _read(self) -> None:
        kept = b""
        while data := os.read(self._reading, 2**16):
            kept += data
            while MARK in kept:
                before, _, kept = kept.partition(MARK)
                self._tell(before, final=True)
                self._ended.set()
            size = len(kept) - _begun(kept)
            self._tell(kept[:size])
            kept = kept[size:]

    def _tell(self, data: bytes, *, final: bool = False) -> None:
        if text := self._decoder.decode(data, final):
            self._teller.tell(self._kind, text=text)


def _begun(data: bytes) -> int:
    """How many of the last bytes may be the beginning of the mark."""
    return next((n for n in range(len(MARK) - 1, 0, -1) if data.endswith(MARK[:n])), 0)


class Interpreter:
    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._caught = [Caught("stdout", 1, teller), Caught("stderr", 2, teller)]
        self._namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._count = 0

    def run(self, code: str, env: dict[str, str]) -> None:
        self._count += 1
        before = dict(os.environ)
        os.environ.update(env)
        try:
            value = self._evaluate(code, f"<cell {self._count}>")
            if value is not None:
                self._namespace["_"] = value
                text = repr(value)
                self._flush()
                self._teller.tell("result", text=text, is_main_result=True)
        except BaseException as exc:
            # Whatever the code raised, exit() and Ctrl-C too, the interpreter goes on.
            self._flush()
            self._tell_error(exc)
        finally:
            for name in env:
                os.environ.pop(name, None)
                os.environ.update({name: before[name]} if name in before else {})
        self._flush()
        self._teller.tell("number_of_executions", execution_count=self._count)
        self._teller.tell("end")

    def _evaluate(self, code: str, name: str) -> Any:
        """The value of the last line, when it is an expression."""
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        body = ast.parse(code, name).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        self._execute(compile(ast.Module(body, []), name, "exec", FLAGS))
        if last is None:
            return None
        return self._execute(compile(ast.Expression(last.value), name, "eval", FLAGS))

    def _execute(self, code: Any) -> Any:
        value = eval(code, self._namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            return self._loop.run_until_complete(value)
        return value

    def _tell_error(self, exc: BaseException) -> None:
        # Without our own frames, which come first.
        trace = exc.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(exc), exc, trace))
        self._teller.tell("error", name=type(exc).__name__, value=str(exc), traceback=text)

    def _flush(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for caught in self._caught:
            caught.finish()


def main() -> None:
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    interpreter = Interpreter(Teller())
    sys.path.insert(0, "")
    while True:
        try:
            line = requests.readline()
        except KeyboardInterrupt:
            # It came when the code had ended already.
            continue
        if not line:
            return
        interpreter.run(**json.loads(line))


if __name__ == "__main__":
    main()
