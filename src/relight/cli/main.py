"""The `relight` command: one file a command, each with an example in its help."""

import click

from relight.cli.bench import bench
from relight.cli.demo import demo
from relight.cli.doctor import doctor, migrate
from relight.cli.importing import import_group
from relight.cli.partners import partner, user
from relight.cli.policies import policy
from relight.cli.running import run, serve, web, worker
from relight.cli.switch import live, resume, stop
from relight.cli.timeline import explain


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="relight")
def relight() -> None:
    """Relight follows up unpaid bills, and gives the service back within seconds of payment.

    Begin with:  relight demo
    """


for command in (
    demo,
    serve,
    web,
    worker,
    import_group,
    policy,
    run,
    explain,
    doctor,
    migrate,
    partner,
    user,
    stop,
    resume,
    live,
    bench,
):
    relight.add_command(command)
