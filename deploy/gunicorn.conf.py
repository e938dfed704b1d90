"""gunicorn's settings for the door: `gunicorn -c deploy/gunicorn.conf.py 'bot.prefork:make_app()'`."""

import os

bind = os.environ.get("BIND", "0.0.0.0:8080")  # in a container: the network says what may reach it
# One process answers thousands of webhooks a second, and counts them in one place. For more, run more containers.
workers = 1
worker_class = "bot.prefork.DoorWorker"
# A process that shows no life for so long is replaced.
timeout = 30
graceful_timeout = 20
# Proofs of life are files' times: in memory, since a disk that hangs must not look like a process that does.
worker_tmp_dir = "/dev/shm"  # noqa: S108
# It would write into a home that a read-only container has not.
control_socket_disable = True
# The application logs; gunicorn's own words go to stderr too.
errorlog = "-"
accesslog = None
