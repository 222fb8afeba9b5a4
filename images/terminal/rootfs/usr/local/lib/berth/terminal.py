#!/usr/bin/python3 -B
"""Shells in the browser: one page, and one WebSocket per window.

A shell belongs to its name, not to its window: whoever reloads the page or loses the network finds it as it was, and
two windows with the same name see the same shell. `/` is the shell "1"; `/?shell=2` is another one. A shell ends when
its program does, or with SIGTERM, which hangs all of them up as a terminal that is switched off would: bash writes its
history, editors save what they had open.
"""

import asyncio
import html
import os
import pathlib
import signal

import tornado.web
from terminado import NamedTermManager, TermSocket

PORT = 8080
MAX_SHELLS = 16
# How long programs have to end after SIGTERM; the container has five seconds.
HANG_UP_S = 2
PAGES = pathlib.Path("/usr/share/berth/terminal")


class Shells(NamedTermManager):
    """The shells by name; one that has ended gives its name free."""

    def on_eof(self, ptywclients):
        super().on_eof(ptywclients)
        self.terminals.pop(ptywclients.term_name, None)

    async def hang_up(self):
        """Ends every shell, and returns when they have ended or their time is over."""
        for terminal in list(self.terminals.values()):
            os.killpg(terminal.ptyproc.pid, signal.SIGHUP)
            os.killpg(terminal.ptyproc.pid, signal.SIGCONT)
        deadline = asyncio.get_running_loop().time() + HANG_UP_S
        while self.terminals and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)


class Page(tornado.web.RequestHandler):
    def get(self):
        title = html.escape(os.environ.get("TITLE") or "Terminal")
        self.set_header("Cache-Control", "no-cache")
        self.finish((PAGES / "index.html").read_text("utf-8").replace("{{title}}", title))

    head = get


class Socket(TermSocket):
    def check_origin(self, origin):
        # The gateway has checked it; in path mode the page's own origin is "null".
        return True

    def on_close(self):
        if self.terminal in self.term_manager.terminals.values():
            super().on_close()


async def main():
    shells = Shells(shell_command=["/bin/bash", "-l"], max_terminals=MAX_SHELLS)
    app = tornado.web.Application(
        [
            (r"/", Page),
            (r"/socket/([a-z0-9-]{1,32})", Socket, {"term_manager": shells}),
            (r"/(.+)", tornado.web.StaticFileHandler, {"path": str(PAGES)}),
        ],
        websocket_ping_interval=30,
        websocket_ping_timeout=30,
        log_function=lambda handler: None,
    )
    app.listen(PORT)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await shells.hang_up()


asyncio.run(main())
