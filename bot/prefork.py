"""The door under gunicorn: gunicorn holds the socket and keeps a process alive behind it; waitress serves in there.

gunicorn's own workers give a whole thread or process to each connection, so a few senders that trickle keep everybody
else out, unless a proxy before them reads requests to the end. The door's own server has no need of one.
"""

from __future__ import annotations

from flask import Flask

# gunicorn ships no types.
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from bot import logs
from bot.configured import SettingsError, read_settings
from bot.doorway import application, counted
from bot.listen import Listening
from bot.wakeups import RqWakeups


def make_app() -> Flask:
    """The application that gunicorn is told to load: `bot.prefork:make_app()`. Wrong settings end gunicorn with the
    sentence that says which; any other exception would have it start over for ever."""
    try:
        settings = read_settings()
    except SettingsError as wrong:
        raise AppImportError(str(wrong)) from wrong
    logs.configure(json=True)
    logs.hide(*settings.secrets())
    app = application(settings, RqWakeups(settings.redis_url))
    app.config |= {"METRICS_LISTEN": settings.metrics_listen, "BODY_LIMIT": settings.body_limit_mib * 1024 * 1024}
    return app


class DoorWorker(Worker):  # type: ignore[misc]  # gunicorn ships no types
    """One process of the door. gunicorn ends it where it shows no life for `timeout` seconds."""

    def run(self) -> None:
        """Serves until SIGTERM, then lets the requests that have arrived end."""
        # The first socket only: the configuration binds one.
        server = Listening(self.wsgi, bound=self.sockets[0].sock, body_limit=self.wsgi.config["BODY_LIMIT"])
        with counted(self.wsgi, self.wsgi.config["METRICS_LISTEN"]):
            server.run(self._lives)

    def _lives(self) -> bool:
        self.notify()
        return bool(self.alive)
