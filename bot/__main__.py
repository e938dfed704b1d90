"""`python -m bot`, and the console command `causeway`."""

from __future__ import annotations

from bot.cli.app import causeway


def main() -> None:
    """Runs the command line; ends the process with its exit code."""
    causeway(prog_name="causeway")


if __name__ == "__main__":
    main()
