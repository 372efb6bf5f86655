"""A group of commands that imports a command only to run it or to tell its help: so `paquebot` starts at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name, each at `module:attribute`."""

    def __init__(self, *args: Any, places: Mapping[str, str] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.places = dict(places or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        del ctx
        return sorted(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None for an unknown name."""
        del ctx
        return self.found(cmd_name) if cmd_name in self.places else None

    def found(self, name: str) -> click.Command:
        """Import and return a command that the table has."""
        module, _, attribute = self.places[name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  (the tables are ours)
        return command
