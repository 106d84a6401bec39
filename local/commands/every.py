"""The commands, most of them about a deployed stack, on the local cloud and on AWS: a module for each, or for alike ones.

Each has `add(commands, target)`, which adds its parser with the function that runs it as the default of `run`. That
function gets the parsed arguments, and returns False when what it shows is a failure.
"""

from types import ModuleType

from local.commands import artifacts, explain, failed, generated, replay, report, schemas, security, send

COMMANDS: list[ModuleType] = [artifacts, explain, failed, generated, replay, report, schemas, security, send]
