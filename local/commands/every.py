"""The commands that are about a deployed stack, one module each, on the local cloud and on AWS.

Each has `add(commands, target)`, which adds its parser with the function that runs it as the default of `run`. That
function gets the parsed arguments, and returns False when what it shows is a failure.
"""

from types import ModuleType

from local.commands import artifacts, dashboard, documents, explain, failed, replay, report, schemas, security, send

COMMANDS: list[ModuleType] = [artifacts, dashboard, documents, explain, failed, replay, report, schemas, security, send]
