"""Verbs for pipelines that speak to GitLab: the status of a stage at a commit."""

from typing import get_args

import click

from practicum.cli.context import Context, pass_context


@click.group("gitlab")
def group() -> None:
    """Tell GitLab what a pipeline elsewhere does."""


@group.command("status")
@click.argument("name")
@click.argument("state", type=click.Choice(["pending", "running", "success", "failed", "canceled"]))
@click.option("--commit", default="HEAD", show_default=True, help="The commit that the stage is about.")
@click.option("--text", default="", help="What people read beside it.")
@click.option("--url", default="", help="Where more is to be seen.")
@pass_context
def status(context: Context, name: str, state: str, commit: str, text: str, url: str) -> None:
    """Show the stage NAME of a pipeline at a commit and its merge request."""
    from practicum.git.comments import State, set_status
    from practicum.stages.forge import connect, project_of
    from practicum.stages.review import main_of

    workspace = context.workspace()
    project = project_of(workspace, main_of(workspace))
    known: State = next(one for one in get_args(State) if one == state)
    set_status(connect(project), workspace.repository.commit_id(commit), name, known, text, url)


COMMANDS = (group,)
