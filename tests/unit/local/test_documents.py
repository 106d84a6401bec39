"""The pages of the automations: how the template and a README become words."""

from pathlib import Path

import pytest
from local import documents
from local.documents import comment_above, named, narrowest, plain, relinked, rows_of_parameters, table, takes, when


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template with the parameters and conditions of these tests."""
    conditions = {
        "Relay": {"Fn::Equals": [{"Ref": "EnableRelay"}, "true"]},
        "HasBus": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BusName"}, ""]}]},
        "HasList": {"Fn::Not": [{"Fn::Equals": [{"Fn::Select": [0, {"Ref": "Names"}]}, ""]}]},
        "RelayOnBus": {"Fn::And": [{"Condition": "Relay"}, {"Condition": "HasBus"}]},
        "Either": {"Fn::Or": [{"Condition": "HasBus"}, {"Condition": "HasList"}]},
        "NoBus": {"Fn::Not": [{"Condition": "HasBus"}]},
        "Arm": {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]},
        "Other": {"Fn::Not": [{"Condition": "Arm"}]},
    }
    parameters = {"EnableRelay", "BusName", "Names", "Architecture", "Days"}
    monkeypatch.setattr(
        documents, "template", lambda: {"Conditions": conditions, "Parameters": dict.fromkeys(parameters)}
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Relay", ""),
        ("RelayOnBus", "`BusName` is given"),
        ("HasList", "`Names` is given"),
        ("NoBus", "`BusName` is not given"),
        ("Either", "`BusName` is given, or `Names` is given"),
        ("Arm", "`Architecture` is `arm64`"),
        ("Other", "`Architecture` is not `arm64`"),
    ],
)
def test_a_condition_is_said_without_the_part_that_the_automation_is_there(
    name: str, words: str, template: None
) -> None:
    assert when({"Condition": name}, "Relay") == words


def test_a_long_condition_is_only_named(template: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LONGEST_CONDITION", 20)

    assert when({"Condition": "Either"}) == "the condition `Either` of the template holds"


def test_a_condition_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody has put into words"):
        when({"Fn::FindInMap": []})


def test_a_condition_around_one_of_its_own_alternatives_is_not_said(template: None) -> None:
    assert narrowest(["Either", "HasBus"]) == ["HasBus"]
    assert narrowest(["Relay", "HasBus"]) == ["Relay", "HasBus"]


def test_the_parameters_of_an_expression_are_those_that_it_and_its_conditions_name(template: None) -> None:
    expression = {
        "Condition": "RelayOnBus",
        "Properties": {
            "Days": {"Fn::Sub": "for ${Days} days in ${AWS::Region} on ${Table.Arn}"},
            "Names": {"Fn::If": ["HasList", {"Ref": "Table"}, {"Ref": "AWS::NoValue"}]},
            "Statement": {"Condition": {"StringEquals": {"a": {"Ref": "Architecture"}}}},
        },
    }

    assert named(expression) == {"EnableRelay", "BusName", "Names", "Architecture", "Days"}


def test_what_a_pattern_refers_to_stands_in_braces() -> None:
    pattern = {
        "source": [{"prefix": {"Fn::Sub": "com.${Name}."}}],
        "detail": {"bucket": [{"Fn::If": ["Own", {"Ref": "Bucket"}, {"Ref": "BucketName"}]}]},
        "arn": [{"Fn::GetAtt": "Role.Arn"}],
    }

    assert plain(pattern) == {
        "source": [{"prefix": "com.{Name}."}],
        "detail": {"bucket": ["{Bucket} or {BucketName}"]},
        "arn": ["{Role}"],
    }


def test_the_reason_of_a_statement_is_the_comment_above_it_or_above_its_condition() -> None:
    assert comment_above(["  - Effect: Deny", "  # It lists", "  # everything."]) == "It lists everything."
    assert comment_above(["Statement:", "  # Only then.", "  - Fn::If:", "    - Copies"]) == "Only then."
    assert comment_above(["# Of another one.", "Action: a", "Resource: b"]) == ""


def test_rows_of_a_readme_give_default_and_words_of_each_parameter() -> None:
    readme = """
| event | rule | |
| --- | --- | --- |
| `Stopped` | `Changed` | is none |

| parameter | default | |
| --- | --- | --- |
| `EnableRelay` | `true` | deploys it |
| `Opens`, `Closes` | `9:00`, `20:00` | on the same day |
| `Sizes` | `1600,800` | |
| `From`, `To` | none | both |
"""

    assert rows_of_parameters(readme) == {
        "EnableRelay": ("true", "deploys it"),
        "Opens": ("9:00", "on the same day"),
        "Closes": ("20:00", "on the same day"),
        "Sizes": ("1600,800", ""),
        "From": ("none", "both"),
        "To": ("none", "both"),
    }


@pytest.mark.parametrize(
    ("link", "on_the_page"),
    [
        ("../../docs/replay.md", "../replay.md"),
        ("../../docs/webhooks.md#send-one-by-hand", "../webhooks.md#send-one-by-hand"),
        ("../ordering/README.md", "ordering.md"),
        ("table.sql", "../../functions/basket/table.sql"),
        ("../../CONTRIBUTING.md", "../../CONTRIBUTING.md"),
        ("https://example.com/a#b", "https://example.com/a#b"),
        ("#here", "#here"),
    ],
)
def test_a_link_of_a_readme_leads_to_the_same_from_its_page(link: str, on_the_page: str) -> None:
    assert relinked(f"See [this]({link}).", "basket") == f"See [this]({on_the_page})."


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"Type": "String"}, "text"),
        ({"Type": "String", "AllowedValues": ["true", "false"]}, "`true`, `false`"),
        ({"Type": "String", "AllowedPattern": "^a$"}, "text like `^a$`"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 9}, "a number from 1 to 9"),
        ({"Type": "CommaDelimitedList"}, "a list with commas"),
    ],
)
def test_which_values_a_parameter_takes(declared: dict[str, object], words: str) -> None:
    assert takes(declared) == words


def test_a_bar_in_a_cell_does_not_end_it_and_a_table_without_rows_is_nothing() -> None:
    assert table(["a", ""], [["x|y", ""]]) == "| a | |\n| --- | --- |\n| x\\|y | |\n"
    assert table(["a"], []) == ""


def test_writing_makes_what_is_missing_and_takes_away_what_is_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "automations"
    monkeypatch.setattr(documents, "PAGES", folder)
    monkeypatch.setattr(documents, "pages", lambda: {folder / "a.md": "new", folder / "b.md": "same"})
    folder.mkdir()
    (folder / "b.md").write_text("same")
    (folder / "gone.md").write_text("old")

    assert documents.write() == [folder / "a.md", folder / "gone.md"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.md": "new", "b.md": "same"}
