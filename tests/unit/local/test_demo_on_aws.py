"""What the demo decides before it begins on AWS."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from local import artifacts, costs, demo_on_aws
from local.artifacts import Artifact
from local.cloud import ROOT, Aws, LocalError
from local.demo_on_aws import WITHOUT, check_name, choose, parameters, words
from local.scenes import NEEDS, SCENES, WORDS
from local.scenes.ec2_state_alerts import ec2_state_alerts
from local.stack import PARAMETERS

from tests.template_file import TEMPLATE

ACCOUNT = "444455556666"


def test_every_name_in_the_parameters_is_the_demos_own() -> None:
    values = parameters("demo-one", ACCOUNT, WORDS)

    named = [value for key, value in values.items() if re.search("Name$|Secret$|Parameter$|Prefix$|Tag$", key)]
    assert named
    assert all("demo-one" in value for value in named)
    assert "111122223333" not in str(values)
    assert "eventbridge-automations" not in str(values)


def test_each_parameter_is_one_of_the_template_and_has_a_value() -> None:
    values = parameters("demo-one", ACCOUNT, ())

    assert values.keys() <= TEMPLATE["Parameters"].keys()
    assert all(values.values())


def test_what_is_left_out_has_a_default_that_names_nothing() -> None:
    left = PARAMETERS.keys() - parameters("demo-one", ACCOUNT, WORDS).keys()

    assert {TEMPLATE["Parameters"][name].get("Default") for name in left} == {""}


def test_nothing_of_others_is_acted_on_unless_it_is_asked_for() -> None:
    values = parameters("demo-one", ACCOUNT, ())

    assert values["SecurityMode"] == "notify"
    acting = ("EnableEc2StateAlerts", "AutoRestart", "EnableOfficeHours", "EnableRdsBackup", "EnableApigatewayLogging")
    assert {values[name] for name in acting} == {"false"}


def test_a_word_switches_its_own_parameters_on_and_no_others() -> None:
    for word, off in WITHOUT.items():
        with_it, without = parameters("demo-one", ACCOUNT, [word]), parameters("demo-one", ACCOUNT, [])

        assert {key for key in with_it if with_it[key] != without.get(key)} == off.keys()


def test_each_word_has_parameters_and_scenes_and_each_scene_known_words() -> None:
    assert WORDS.keys() == WITHOUT.keys() == {word for needed in NEEDS.values() for word in needed}
    assert set(NEEDS) <= set(SCENES)


def test_without_words_only_scenes_are_played_that_need_none() -> None:
    assert choose([]) == [scene for scene in SCENES if scene not in NEEDS]


def test_with_all_words_all_scenes_are_played() -> None:
    assert choose(list(WORDS)) == SCENES


def test_scenes_can_be_named_and_keep_their_order() -> None:
    assert [scene.__name__ for scene in choose(["ec2"], "partner_relay, ec2_state_alerts")] == [
        "ec2_state_alerts",
        "partner_relay",
    ]


@pytest.mark.parametrize(
    ("names", "problem"), [("ec2_state_alerts", "needs --with ec2"), ("ec2", "There is no scene ec2. There are: image")]
)
def test_a_scene_that_cannot_be_played_is_refused_with_the_reason(names: str, problem: str) -> None:
    with pytest.raises(LocalError, match=problem):
        choose([], names)
    assert ec2_state_alerts in NEEDS


def test_words_are_those_that_are_known() -> None:
    assert words("ec2, rds,") == ["ec2", "rds"]
    with pytest.raises(LocalError, match=r"play with codebuild\. There are: ec2, rds"):
        words("codebuild")


@pytest.mark.parametrize("name", ["Demo", "demo_one", "dem", "1demo", "demo-", "demo--one", "d" * 25, "demo one"])
def test_a_name_that_no_bucket_can_begin_with_is_refused(name: str) -> None:
    with pytest.raises(LocalError, match="cannot be the demo's stack"):
        check_name(name)


@pytest.mark.parametrize("name", ["demo", "automations-demo-3f9c2a", "d" * 24])
def test_a_name_of_which_the_longest_bucket_name_can_be_made_is_taken(name: str) -> None:
    assert check_name(name) == name
    names = [value for key, value in parameters(name, ACCOUNT, ()).items() if key.endswith("BucketName")]
    assert max(len(value) for value in names) <= 63


def test_what_is_counted_is_what_the_parameters_leave_in(tmp_path) -> None:
    built = tmp_path / "template.yaml"
    built.write_text("""
Parameters: {Wanted: {Type: String, Default: 'false'}}
Conditions: {IsOn: {'Fn::Equals': [{Ref: Wanted}, 'true']}}
Resources:
  A: {Type: AWS::SQS::Queue}
  B: {Type: AWS::SQS::Queue, Condition: IsOn}
  C: {Type: AWS::Kinesis::Stream, Condition: IsOn}
""")

    assert costs.resources(built, {}) == Counter({"AWS::SQS::Queue": 1})
    assert costs.resources(built, {"Wanted": "true"}) == Counter({"AWS::SQS::Queue": 2, "AWS::Kinesis::Stream": 1})


def test_only_what_is_created_is_said_to_cost_something() -> None:
    assert not any("Kinesis" in text or "Databases" in text for text in costs.sentences(["AWS::SQS::Queue"], []))
    assert any("Kinesis" in text for text in costs.sentences(["AWS::Kinesis::Stream"], []))
    assert any("Databases" in text for text in costs.sentences([], ["rds", "security"]))


@pytest.mark.parametrize("file", sorted((ROOT / "local" / "scenes").glob("*.py")), ids=lambda file: file.stem)
def test_no_scene_knows_where_it_runs(file: Path) -> None:
    names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}

    assert not names & {"ACCOUNT", "REGION", "UPLOADS", "DERIVATIVES", "INGESTED", "Cloud", "Aws"}
    assert not re.search(r"\.endpoint|_ministack|_aws/|111122223333|ap-northeast-2", file.read_text())


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the only function that is built."""
    monkeypatch.setattr(demo_on_aws, "sam", lambda *arguments, env: None)
    monkeypatch.setattr(artifacts, "artifacts", lambda built: [Artifact("OneFunction", tmp_path, "3.13")])
    monkeypatch.setattr(artifacts, "runtime_python", lambda version: None)
    (tmp_path / "handler.py").touch()
    return tmp_path


def test_what_fits_lambda_is_built(built: Path) -> None:
    demo_on_aws.build(Aws())


def test_the_demo_stops_before_it_deploys_what_does_not_fit_lambda(built: Path) -> None:
    (built / "_fast.so").write_bytes(b"\x7fELF")

    with pytest.raises(LocalError, match=r"would not work on Lambda\.\nOneFunction: _fast\.so: it is machine code"):
        demo_on_aws.build(Aws())
