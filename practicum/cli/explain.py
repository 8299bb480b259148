"""The verb `explain`: what a key, or the code of a message, means."""

import re

import click

from generator.spec.explain import UnknownKey, explain_code, explain_key
from generator.spec.words import did_you_mean
from practicum.errors import UsageError

_CODE = re.compile(r"PRA[0-9]+", re.IGNORECASE)
_PLATFORM = "platform"


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]…")
@click.option("--platform", "of_platform", is_flag=True, help="Keys of the platform file, not of a lab's spec.")
def explain(keys: tuple[str, ...], of_platform: bool) -> None:
    """Say what a key means, such as machines.type, or the code of a message, such as PRA012."""
    if keys[:1] == (_PLATFORM,):
        keys, of_platform = keys[1:], True
    try:
        texts = [_explained(key, _PLATFORM if of_platform else "lab") for key in keys or ("",)]
    except UnknownKey as error:
        every = f"practicum explain{' --platform' if of_platform else ''} shows all keys"
        raise UsageError(f"{error}{did_you_mean(error.meant)}", resolution=every) from error
    click.echo("\n\n\n".join(texts))


def _explained(key: str, schema: str) -> str:
    return explain_code(key) if _CODE.fullmatch(key) else explain_key(key, schema)
