"""The `relight` command: one file a command, loaded when it is asked for, each with an example in its help."""

from importlib import import_module

import click

COMMANDS = {
    "demo": "relight.cli.demo:demo",
    "serve": "relight.cli.running:serve",
    "web": "relight.cli.running:web",
    "worker": "relight.cli.running:worker",
    "import": "relight.cli.importing:import_group",
    "payments": "relight.cli.payments:payments",
    "policy": "relight.cli.policies:policy",
    "plan": "relight.cli.plans:plan",
    "mandate": "relight.cli.mandates:mandate",
    "collect": "relight.cli.collections:collect",
    "books": "relight.cli.books:books",
    "provider": "relight.cli.providers:provider",
    "reference": "relight.cli.references:reference",
    "agency": "relight.cli.agencies:agency",
    "rates": "relight.cli.rates:rates",
    "export": "relight.cli.exporting:export",
    "run": "relight.cli.running:run",
    "explain": "relight.cli.timeline:explain",
    "feed": "relight.cli.feed:feed",
    "audit": "relight.cli.audit:audit_command",
    "watch": "relight.cli.watching:watch",
    "doctor": "relight.cli.doctor:doctor",
    "migrate": "relight.cli.doctor:migrate",
    "database": "relight.cli.keeping:keep_database",
    "backup": "relight.cli.backup:backup",
    "partner": "relight.cli.partners:partner",
    "user": "relight.cli.partners:user",
    "stop": "relight.cli.switch:stop",
    "resume": "relight.cli.switch:resume",
    "undo": "relight.cli.undo:undo",
    "live": "relight.cli.switch:live",
    "compile": "relight.cli.compiling:compile_core",
    "bench": "relight.cli.bench:bench",
}

# These begin an installation where there is none. The others act on one or look at it, and refuse to begin an empty
# one: "Stopped." must never be the answer of another installation than the one that is meant.
BEGIN = frozenset({
    "demo", "serve", "web", "worker", "import", "policy", "doctor", "migrate", "database", "partner", "user", "bench",
    "provider", "rates", "agency", "collect", "mandate", "reference",
})  # fmt: skip


def may_begin() -> bool:
    """Whether the command that runs may begin an installation; so may what runs without a command."""
    context = click.get_current_context(silent=True)
    command = context.find_root().invoked_subcommand if context else None
    return command is None or command in BEGIN


class Commands(click.Group):
    """A group whose commands are imported when they are used: `relight doctor` does not wait for the demo."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="relight")
def relight() -> None:
    """Relight follows up unpaid bills, and gives the service back within seconds of payment.

    Begin with:  relight demo
    """
