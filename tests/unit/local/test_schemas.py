"""The files of schemas/, the template's block, and the command."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from local import __main__ as command_line
from local import terminal
from local.cloud import Aws, LocalError
from local.commands import schemas
from local.commands.every import COMMANDS
from local.left_out import REFUSED
from local.schemas import openapi, store
from local.schemas.published import PUBLISHED, Published
from local.schemas.store import Stored
from pydantic import Field

from automations.events import Detail, Event
from tests.template_file import RESOURCES, TEMPLATE


class Note(Detail):
    text: str


class Noted(Event):
    """Somebody's note is there."""

    detail_type: Literal["Noted"] = Field(alias="detail-type")
    detail: Note


class NoteWithMore(Note):
    language: str = "en"


class NotedWithMore(Noted):
    detail: NoteWithMore


class NoteOrNone(Detail):
    note: Note | None = None


class NotedOrNot(Noted):
    detail: NoteOrNone  # type: ignore[assignment] # another event


class ShortNote(Note):
    text: Annotated[str, Field(max_length=80)]


class NotedShort(Noted):
    detail: ShortNote


def noted(model: type[Event] = Noted) -> tuple[Published, ...]:
    return (Published(model, "com.example.notes", "Noted"),)


NAME = "com.example.notes@Noted"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with no schemas yet, and a template that has room for them."""
    (tmp_path / "template.yaml").write_text(f"Resources:\n{store.BEGIN}{store.END}Outputs:\n")
    monkeypatch.setattr(store, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(store, "TEMPLATE", tmp_path / "template.yaml")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Call `python -m local schemas` for these events; returns the exit status and what it printed."""

    def call(events: tuple[Published, ...], *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(schemas, "published", lambda: events)
        monkeypatch.setattr(command_line, "COMMANDS", [*{schemas, *COMMANDS}])
        monkeypatch.setattr(sys, "argv", ["local", "schemas", *arguments])
        monkeypatch.setattr(terminal.console, "_file", sys.stdout)  # `file` would keep what stdout is now
        status = command_line.main()
        return status, capsys.readouterr().out

    return call


def files(project: Path) -> dict[str, Any]:
    return {str(file.relative_to(project)): json.loads(file.read_text()) for file in project.glob("schemas/*/*.json")}


# ---- this repository's own


def test_the_schemas_and_the_template_are_as_the_models_say_or_a_new_version_was_written() -> None:
    """When this fails: python -m local schemas write."""
    assert schemas.differences(PUBLISHED) == []


def test_the_template_has_the_newest_version_of_each_schema_in_the_registry() -> None:
    deployed = {
        item["Properties"]["SchemaName"]["Fn::Sub"]: item["Properties"]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::EventSchemas::Schema"
    }

    for schema in store.newest(store.versions()):
        properties = deployed.pop(schema.name.replace("com.example.", "com.${ApplicationName}."))
        assert properties["Type"] == "OpenApi3"
        assert properties["RegistryName"] == {"Fn::GetAtt": "SchemaRegistry.RegistryName"}
        content = properties["Content"]["Fn::Sub"].replace("${ApplicationName}", "example")
        assert "${" not in content
        assert json.loads(content) == schema.document
    assert not deployed


def test_nothing_of_the_schemas_is_deployed_without_the_application_bus_and_its_parameter() -> None:
    switches = {"RegisterSchemas": "RegisterEventSchemas", "DiscoverSchemas": "DiscoverEventSchemas"}
    for parameter, condition in switches.items():
        assert TEMPLATE["Conditions"][condition] == {
            "Fn::And": [{"Condition": "UsesApplicationBus"}, {"Fn::Equals": [{"Ref": parameter}, "true"]}]
        }
    for item in RESOURCES.values():
        if item["Type"].startswith("AWS::EventSchemas::"):
            discovers = item["Type"].endswith("Discoverer")
            assert item["Condition"] == ("DiscoverEventSchemas" if discovers else "RegisterEventSchemas")
            assert item["Type"] in REFUSED
    assert TEMPLATE["Parameters"]["DiscoverSchemas"]["Default"] == "false"


# ---- the command


def test_the_first_version_of_a_schema_is_written_and_put_into_the_template(run: Any, project: Path) -> None:
    status, output = run(noted(), "write")

    assert status == 0
    assert f"{NAME} is new. Wrote schemas/{NAME}/1.json" in output
    [content] = files(project).values()
    assert content["info"] == {"version": "1.0.0", "title": "Noted", "description": "Somebody's note is there."}
    template = (project / "template.yaml").read_text()
    resources = yaml.safe_load(template.replace("!Sub ", "").replace("!GetAtt ", ""))["Resources"]
    properties = resources["NotesNotedSchema"]["Properties"]
    assert properties["SchemaName"] == "com.${ApplicationName}.notes@Noted"
    assert json.loads(properties["Content"].replace("${ApplicationName}", "example")) == content
    assert template.endswith(f"{store.END}Outputs:\n")
    assert run(noted(), "check") == (0, "The schemas are as the models say.\n")


def test_a_compatible_change_goes_into_the_present_version(run: Any, project: Path) -> None:
    run(noted(), "write")

    assert run(noted(NotedWithMore), "check")[0] == 1
    status, output = run(noted(NotedWithMore), "write")

    assert status == 0
    assert f"{NAME} has changed compatibly. Wrote schemas/{NAME}/1.json" in output
    [(path, content)] = files(project).items()
    assert path.endswith("/1.json")
    assert "language" in content["components"]["schemas"]["NoteWithMore"]["properties"]
    assert run(noted(NotedWithMore), "check")[0] == 0


def test_an_incompatible_change_is_refused_and_nothing_is_written(run: Any, project: Path) -> None:
    run(noted(), "write")
    before = files(project), (project / "template.yaml").read_text()

    status, output = run((*noted(NotedShort), *PUBLISHED), "write")

    assert status == 1
    assert "event.detail.text: maxLength was nothing and is 80" in output
    assert "python -m local schemas write --new-version" in output
    assert (files(project), (project / "template.yaml").read_text()) == before


def test_a_model_that_has_no_schema_is_named_and_nothing_is_written(run: Any, project: Path) -> None:
    status, output = run((*PUBLISHED, *noted(NotedOrNot)), "write")

    assert (status, "NotedOrNot has no schema. OpenAPI 3.0 cannot" in output) == (1, True)
    assert files(project) == {}


def test_nothing_is_written_when_the_template_has_no_place_for_it(run: Any, project: Path) -> None:
    (project / "template.yaml").write_text("Resources:\n")

    assert run(noted(), "write")[0] == 1
    assert files(project) == {}


def test_check_fails_and_says_what_an_incompatible_change_is(run: Any, project: Path) -> None:
    run(noted(), "write")

    status, output = run(noted(NotedShort), "check")

    assert status == 1
    assert f"{NAME} has changed incompatibly:\n  event.detail.text: maxLength was nothing and is 80" in output


def test_a_new_version_is_written_beside_the_old_one_and_the_template_has_the_new_one(run: Any, project: Path) -> None:
    run(noted(), "write")
    [first] = files(project).values()

    status, _ = run(noted(NotedShort), "write", "--new-version")

    assert status == 0
    assert files(project)[f"schemas/{NAME}/1.json"] == first
    assert files(project)[f"schemas/{NAME}/2.json"]["info"]["version"] == "2.0.0"
    assert (project / "template.yaml").read_text().count('"version":"2.0.0"') == 1
    assert '"version":"1.0.0"' not in (project / "template.yaml").read_text()
    assert run(noted(NotedShort), "check")[0] == 0
    assert run(noted(), "check")[0] == 1


def test_a_new_version_is_not_written_where_the_change_needs_none(run: Any, project: Path) -> None:
    run(noted(), "write")

    run(noted(NotedWithMore), "write", "--new-version")

    assert list(files(project)) == [f"schemas/{NAME}/1.json"]


def test_check_names_a_schema_whose_event_is_not_published_any_more(run: Any, project: Path) -> None:
    run(noted(), "write")

    status, output = run((), "check")

    assert status == 1
    assert f"{NAME} is not published any more. When nobody reads it, delete schemas/{NAME}" in output


def test_check_sees_what_was_changed_by_hand_in_the_template_and_write_mends_it(run: Any, project: Path) -> None:
    run(noted(), "write")
    template = project / "template.yaml"
    written = template.read_text()
    template.write_text(written.replace("Somebody", "Nobody"))

    status, output = run(noted(), "check")

    assert (status, "template.yaml has other schemas than schemas/." in output) == (1, True)
    assert run(noted(), "write") == (0, "Wrote the schemas into template.yaml\n")
    assert template.read_text() == written
    assert run(noted(), "write") == (0, "The schemas are as the models say.\n")


def test_a_template_without_the_lines_around_the_schemas_is_not_touched(run: Any, project: Path) -> None:
    (project / "template.yaml").write_text("Resources:\n")

    status, output = run(noted(), "check")

    assert (status, "template.yaml must have the lines around the schemas" in output) == (1, True)


def test_a_file_that_is_no_json_is_named(run: Any, project: Path) -> None:
    run(noted(), "write")
    (project / "schemas" / NAME / "1.json").write_text("<<<<<<<")

    status, output = run(noted(), "check")

    assert (status, f"{NAME}/1.json is no JSON" in output) == (1, True)


def test_the_tenth_version_is_newer_than_the_ninth(run: Any, project: Path) -> None:
    folder = project / "schemas" / NAME
    folder.mkdir(parents=True)
    for number in range(1, 11):
        (folder / f"{number}.json").write_text(Stored(NAME, number, document(str(number))).text)
    (folder / "notes.json").write_text("not one of them")

    assert run((), "show")[1] == f"{NAME}  version {', '.join(map(str, range(1, 11)))}\n"
    assert [schema.version for schema in store.newest(store.versions())] == [10]


def test_show_lists_the_versions_and_shows_the_newest(run: Any, project: Path) -> None:
    run(noted(), "write")
    run(noted(NotedShort), "write", "--new-version")

    assert run((), "show") == (0, f"{NAME}  version 1, 2\n")
    assert json.loads(run((), "show", NAME)[1])["info"]["version"] == "2.0.0"
    status, output = run((), "show", "nix")
    assert (status, f"There are: {NAME}" in output) == (1, True)


def test_bindings_are_made_of_the_files(run: Any, project: Path) -> None:
    run((*noted(), *PUBLISHED), "write")

    status, output = run((), "bindings", "--output", str(project / "out"), "--prefix", "com.example.notes")

    assert (status, output) == (0, f"Wrote {project}/out/com_example_notes_noted.py\n")
    assert "class Note(BaseModel)" in (project / "out" / "com_example_notes_noted.py").read_text()


def test_bindings_say_when_there_is_no_such_schema(run: Any, project: Path) -> None:
    run(noted(), "write")

    status, output = run((), "bindings", "--output", str(project / "out"), "--prefix", "x.")

    assert (status, "no schema whose name begins with 'x.'" in output) == (1, True)
    assert not (project / "out").exists()


def test_bindings_of_a_registry_need_an_aws_account(run: Any, project: Path) -> None:
    status, output = run((), "bindings", "--output", str(project / "out"), "--registry", "shop")

    assert (status, "The local cloud has no schema registry" in output, "--aws" in output) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "registry"), [(["--registry"], "shop-stack"), (["--registry", "aws.events"], "aws.events")]
)
def test_bindings_of_a_registry_are_made_of_the_stacks_or_the_named_one(
    arguments: list[str], registry: str, run: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("schemas")
    monkeypatch.setattr(Aws, "client", lambda self, service: client)
    name = "com.example.basket@CheckoutBasket"
    content = json.dumps(openapi.document(PUBLISHED[0], 1))
    with Stubber(client) as stubber:
        stubber.add_response("describe_registry", {}, {"RegistryName": registry})
        stubber.add_response("list_schemas", {"Schemas": [{"SchemaName": name}]}, {"RegistryName": registry})
        stubber.add_response(
            "describe_schema", {"Type": "OpenApi3", "Content": content}, {"RegistryName": registry, "SchemaName": name}
        )

        status, output = run(
            (), "bindings", "--output", str(project / "out"), "--aws", "--stack", "shop-stack", *arguments
        )

    assert (status, output) == (0, f"Wrote {project}/out/com_example_basket_checkoutbasket.py\n")


# ---- the template's resources


def document(text: str = "", source: str = "com.example.notes") -> dict[str, Any]:
    envelope = {"x-amazon-events-source": source, "description": text}
    return {"openapi": "3.0.0", "components": {"schemas": {"AWSEvent": envelope}}}


def test_only_the_source_and_the_name_take_the_applications_name() -> None:
    block = store.block([Stored(NAME, 1, document("as com.example.notes does"))])

    assert '"x-amazon-events-source":"com.${ApplicationName}.notes"' in block
    assert '"as com.example.notes does"' in block


def test_a_source_that_is_not_the_applications_stays_as_it_is() -> None:
    block = store.block([Stored("webhook.github@push", 1, document(source="webhook.github"))])

    assert block.startswith("  GithubPushSchema:\n")
    assert "      SchemaName: 'webhook.github@push'\n" in block
    assert "!Sub" not in block


def test_a_quote_is_kept_by_yaml() -> None:
    block = store.block([Stored(NAME, 1, document("A customer's"))])

    assert "A customer''s" in block


@pytest.mark.parametrize(
    ("text", "reason"), [("${AWS::Region}", "would replace"), ("x" * 100_000, "the registry takes")]
)
def test_what_the_template_or_the_registry_would_not_keep_is_refused(text: str, reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        store.block([Stored(NAME, 1, document(text))])


def test_a_name_of_a_schema_has_no_character_that_the_registry_refuses() -> None:
    event = Published(Noted, "com.example.notes", "A Note / was, taken-down")

    assert event.name == "com.example.notes@ANotewastaken-down"
