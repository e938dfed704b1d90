"""`python -m bot`, and the console command `causeway`."""

from __future__ import annotations

import gc

from bot.cli.app import causeway


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    # As in the core's child: a command over a whole fleet makes millions of small values that live on.
    gc.set_threshold(50_000, 10, 100)
    causeway(prog_name="causeway")


if __name__ == "__main__":
    main()
