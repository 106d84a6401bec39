"""What the local deployment goes without."""

import pytest
import yaml
from local.cloud import LocalError
from local.left_out import leave_out

EXPRESSION = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}
ALARM = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}


@pytest.fixture
def deployed(tmp_path):
    """The template as it would be deployed with these resources."""

    def call(**resources):
        (tmp_path / "built.yaml").write_text(yaml.safe_dump({"Resources": resources, "Outputs": {}}))
        leave_out(tmp_path / "built.yaml", tmp_path / "deployed.yaml")
        return yaml.safe_load((tmp_path / "deployed.yaml").read_text())["Resources"]

    return call


def test_a_dashboard_goes_without_the_alarm_that_is_left_out_and_keeps_the_others(deployed) -> None:
    shown = {"Fn::Sub": ',"${Shown.Arn}"'}
    parts = ["[", {"Fn::If": ["Has", {"Fn::Sub": ',"${Odd.Arn}"'}, ""]}, {"Fn::If": ["Has", shown, ""]}, "]"]
    board = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Join": ["", parts]}}}

    left = deployed(Odd=EXPRESSION, Shown=ALARM, Board=board)

    assert set(left) == {"Shown", "Board"}
    assert left["Board"]["Properties"]["DashboardBody"] == {"Fn::Join": ["", ["[", parts[2], "]"]]}


def test_what_else_needs_what_is_left_out_is_an_error(deployed) -> None:
    with pytest.raises(LocalError, match="Topic needs Odd, which the local cloud refuses"):
        deployed(Odd=EXPRESSION, Topic={"Type": "AWS::SNS::Topic", "DependsOn": "Odd"})
