"""Write, check and show the schemas of the application's events, and make Python models of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from local.cloud import LocalError
from local.schemas import bindings, store
from local.terminal import chosen_stack, console

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from local.schemas.published import Published

WRITE = ".venv/bin/python -m local schemas write"


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    actions = commands.add_parser("schemas", help=__doc__).add_subparsers(required=True, metavar="ACTION")
    writing = actions.add_parser("write", help=write.__doc__)
    writing.add_argument("--new-version", action="store_true", help="write the next version where the change needs one")
    writing.set_defaults(run=lambda chosen: write(published(), chosen.new_version))
    actions.add_parser("check", help=check.__doc__).set_defaults(run=lambda _: check(published()))
    showing = actions.add_parser("show", help=show.__doc__)
    showing.add_argument("name", nargs="?", default="", help="such as com.example.basket@CheckoutBasket")
    showing.set_defaults(run=lambda chosen: show(chosen.name))
    making = actions.add_parser("bindings", parents=[target], help=bind.__doc__)
    making.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder of the package")
    where = making.add_mutually_exclusive_group()
    where.add_argument("--files", action="store_true", help="from schemas/, which is the default")
    where.add_argument(
        "--registry",
        nargs="?",
        const="",
        metavar="NAME",
        help="from this registry of an AWS account; the stack's if unnamed",
    )
    making.add_argument("--prefix", default="", help="only schemas whose names begin so")
    making.set_defaults(run=bind)


def published() -> tuple[Published, ...]:
    # Only here, because the functions' packages take longer to load than most commands take to run.
    from local.schemas.published import PUBLISHED

    return PUBLISHED


def write(events: tuple[Published, ...], new_version: bool) -> None:
    """Write schemas/, and the schemas in template.yaml, from the models.

    Raises:
        LocalError: a model has changed incompatibly, and no new version is wanted; or it cannot be written. Nothing was.
    """
    stored = store.versions()
    found = store.changes(events, stored)
    if (broken := [change for change in found if change.breaks]) and not new_version:
        raise LocalError(
            "\n".join(change.sentence for change in broken)
            + "\nNothing was written. Change the model so that those who know the event can go on, or write its next version: "
            f"{WRITE} --new-version"
        )
    newest = {schema.name: schema for schema in store.newest(stored)} | {
        change.now.name: change.now for change in found
    }
    block = store.block(newest[name] for name in sorted(newest))
    before, inside, after = store.block_of(store.TEMPLATE.read_text())
    for change in found:
        path = store.SCHEMAS / change.now.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change.now.text)
        console.print(f"{escape(change.sentence)} Wrote schemas/{change.now.path}")
    if block != inside:
        store.TEMPLATE.write_text(before + block + after)
        console.print("Wrote the schemas into template.yaml")
    elif not found:
        console.print("The schemas are as the models say.")


def check(events: tuple[Published, ...]) -> bool:
    """Say where schemas/ or template.yaml is not as the models say; fail when it is not."""
    problems = differences(events)
    for problem in problems:
        console.print(escape(problem))
    console.print("The schemas are as the models say." if not problems else f"Then: {WRITE}")
    return not problems


def differences(events: tuple[Published, ...]) -> list[str]:
    stored = store.versions()
    _, inside, _ = store.block_of(store.TEMPLATE.read_text())
    gone = store.without_model(events, stored)
    return [
        *(change.sentence for change in store.changes(events, stored)),
        *(f"{name} is not published any more. When nobody reads it, delete schemas/{name}" for name in gone),
        *(["template.yaml has other schemas than schemas/."] if inside != store.block(store.newest(stored)) else []),
    ]


def show(name: str) -> None:
    """Show which versions there are, or the newest one of a schema.

    Raises:
        LocalError: there is no such schema.
    """
    stored = store.versions()
    if name and name not in stored:
        raise LocalError(f"There is no schema {name} in schemas/. There are: {', '.join(stored)}")
    if name:
        console.print_json(data=stored[name][-1].document)
        return
    for known, of_one in stored.items():
        console.print(f"{known}  version {', '.join(str(schema.version) for schema in of_one)}")


def bind(chosen: Namespace) -> None:
    """Make Python models (Pydantic 2) of schemas: one module for each.

    Raises:
        LocalError: there are no such schemas, or they are to come from a registry of the local cloud, which has none.
    """
    found = schemas(chosen)
    if not found:
        raise LocalError(f"There is no schema whose name begins with '{chosen.prefix}' there.")
    for file in bindings.generate(found, chosen.output):
        console.print(f"Wrote {escape(str(file))}")


def schemas(chosen: Namespace) -> list[bindings.Schema]:
    """Those that the options name, in their newest versions."""
    if chosen.registry is None:
        newest = [schema for schema in store.newest(store.versions()) if schema.name.startswith(chosen.prefix)]
        return bindings.from_files(newest)
    if not (chosen.aws or chosen.profile or chosen.region):
        raise LocalError(
            "The local cloud has no schema registry. Say in which AWS account the registry is, with --aws or --profile NAME, "
            "or read the files: --files"
        )
    stack = chosen_stack(chosen)
    # The registry of a stack has its name.
    return list(bindings.from_registry(stack.cloud.client("schemas"), chosen.registry or stack.name, chosen.prefix))
