import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from automations.errors import DeliveryError, InvalidEvent, SettingsError
from automations.events.codebuild import BuildFinished
from codebuild_slack import build
from codebuild_slack.handler import lambda_handler
from tests.samples import sample
from tests.template_file import create_table
from tests.unit.codebuild_slack.builds import finished, information


@pytest.fixture(autouse=True)
def tables(idempotency_table, monkeypatch):
    monkeypatch.setenv("BUILDS_TABLE", create_table("BuildsTable"))


@pytest.fixture
def only_failures_and_recoveries(monkeypatch):
    monkeypatch.setenv("REPORT", "failures-and-recoveries")


def parsed(event: dict[str, Any]) -> BuildFinished:
    return BuildFinished.model_validate(event)


def titles(slack: Any) -> list[str]:
    return [post.json()["text"] for post in slack.to("/slack")]


def shown(slack: Any) -> str:
    """The only message, as text."""
    [post] = slack.to("/slack")
    return json.dumps(post.json(), ensure_ascii=False)


def recorded() -> list[dict[str, str]]:
    items = boto3.client("dynamodb").scan(TableName="BuildsTable")["Items"]
    return [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in items]


def test_a_failed_build_is_told_with_the_phase_that_failed_and_why(slack, context):
    lambda_handler(sample("codebuild_slack/failed"), context)

    [post] = slack.to("/slack")
    assert post.json()["text"] == "CodeBuild: build 142 of web-site failed"
    head, facts, why, link, *_ = post.json()["blocks"]
    assert head["text"]["text"].startswith(":rotating_light:")
    assert [field["text"] for field in facts["fields"]] == [
        "*Project*\nweb-site",
        "*Status*\nFAILED",
        "*Started by*\npipeline web-site-release",
        "*Duration*\n1 min 49 s",
        "*Source*\nhttps://github.com/example-org/web-site.git",
        "*Source version*\n380fc67fbd73a6b52200729d39c833513b26cc84",
        "*Phase*\nBUILD FAILED",
    ]
    assert why["text"]["text"] == (
        "COMMAND_EXECUTION_ERROR: Error while executing command: "
        'npm test -- --ci &amp;&amp; echo "&lt;done&gt;". Reason: exit status 1'
    )
    assert (
        "group=/aws/codebuild/web-site;stream=14aca4cf-6399-4654-aae0-b9079ffafae8|Open the logs>"
        in (link["text"]["text"])
    )


def test_a_build_that_succeeded_is_told_without_a_phase_or_a_reason(slack, context):
    lambda_handler(sample("codebuild_slack/succeeded"), context)

    assert titles(slack) == ["CodeBuild: build 141 of web-site succeeded"]
    assert ":large_green_circle:" in shown(slack)
    assert "2 min 17 s" in shown(slack)
    assert "GitHub-Hookshot/4f1c2ab" in shown(slack)
    assert "Phase" not in shown(slack)
    assert len(slack.to("/slack")[0].json()["blocks"]) == 5  # title, facts, link, divider, origin: no text


def test_a_stopped_build_is_told_with_the_phase_in_which_it_was_stopped(slack, context):
    lambda_handler(sample("codebuild_slack/stopped"), context)

    assert titles(slack) == ["CodeBuild: build 143 of web-site stopped"]
    assert ":warning:" in shown(slack)
    assert "BUILD STOPPED" in shown(slack)


def test_environment_variables_are_never_shown_nor_logged(slack, context, logs):
    event = sample("codebuild_slack/failed")
    variable = {"name": "STAGE", "type": "PLAINTEXT", "value": "hunter2"}
    information(event)["environment"]["environment-variables"] = [variable]

    lambda_handler(event, context)

    for text in (shown(slack), logs.getvalue()):
        assert "STAGE" not in text
        assert "hunter2" not in text


def test_credentials_in_the_address_of_the_source_are_left_out(slack, context):
    event = sample("codebuild_slack/failed")
    information(event)["source"]["location"] = "https://alice:t0ken@example.com/team/repo.git"

    lambda_handler(event, context)

    assert "https://example.com/team/repo.git" in shown(slack)
    assert "t0ken" not in shown(slack)


def test_an_event_that_says_no_more_than_what_the_decision_needs_is_told(slack, context):
    event = sample("codebuild_slack/failed")
    del event["detail"]["additional-information"]

    lambda_handler(event, context)

    assert titles(slack) == ["CodeBuild: build of web-site failed"]
    assert "/codesuite/codebuild/111122223333/projects/web-site/build/web-site%3A14aca4cf-" in shown(slack)


def test_the_same_event_twice_is_one_message_and_one_record(slack, context):
    lambda_handler(sample("codebuild_slack/failed"), context)
    lambda_handler(sample("codebuild_slack/failed") | {"id": "another"}, context)

    assert len(titles(slack)) == 1
    assert len(recorded()) == 1


def test_what_is_remembered_of_a_build_is_forgotten_after_ninety_days(slack, context):
    lambda_handler(sample("codebuild_slack/failed"), context)

    [item] = recorded()
    ended = datetime(2026, 11, 5, 13, 5, 51, tzinfo=UTC)
    assert item["project_arn"] == "arn:aws:codebuild:ap-northeast-2:111122223333:project/web-site"
    assert item["finished_at"].startswith("2026-11-05T13:05:51+00:00#arn:aws:codebuild:")
    assert item["status"] == "FAILED"
    assert int(item["expires_at"]) == int((ended + timedelta(days=90)).timestamp())


def test_only_failures_and_the_first_success_after_one_are_told(slack, context, only_failures_and_recoveries):
    for minute, status in enumerate(["SUCCEEDED", "FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED", "STOPPED"]):
        lambda_handler(finished(status, minute), context)

    assert titles(slack) == [
        "CodeBuild: build 142 of web-site failed (and 1 more like it)",
        "CodeBuild: build 141 of web-site succeeded again",
    ]


def test_a_stopped_build_between_a_failure_and_a_success_does_not_hide_the_recovery(
    slack, context, only_failures_and_recoveries
):
    for minute, status in enumerate(["FAILED", "STOPPED", "SUCCEEDED"]):
        lambda_handler(finished(status, minute), context)

    assert [title.split("web-site ")[1] for title in titles(slack)] == ["failed", "succeeded again"]


def test_a_success_after_a_stopped_build_is_no_recovery(slack, context, only_failures_and_recoveries):
    for minute, status in enumerate(["SUCCEEDED", "STOPPED", "SUCCEEDED"]):
        lambda_handler(finished(status, minute), context)

    assert titles(slack) == []


@pytest.mark.parametrize("status", ["FAULT", "TIMED_OUT"])
def test_a_build_that_timed_out_or_faulted_is_a_failure(status, slack, context, only_failures_and_recoveries):
    lambda_handler(finished(status, 0), context)
    lambda_handler(finished("SUCCEEDED", 1), context)

    assert [title.split("web-site ")[1] for title in titles(slack)] == [
        status.lower().replace("_", " "),
        "succeeded again",
    ]


def test_a_failure_of_another_project_makes_no_recovery(slack, context, only_failures_and_recoveries):
    lambda_handler(finished("FAILED", 0, project="shop"), context)
    lambda_handler(finished("SUCCEEDED", 1), context)

    assert len(titles(slack)) == 1


def test_the_order_of_the_builds_counts_and_not_that_of_their_events(slack, context, only_failures_and_recoveries):
    lambda_handler(finished("SUCCEEDED", 3), context)
    lambda_handler(finished("FAILED", 1), context)
    lambda_handler(finished("SUCCEEDED", 2), context)

    assert [title.split("web-site ")[1] for title in titles(slack)] == ["failed", "succeeded again"]


def test_a_recovery_that_could_not_be_told_is_still_one_when_its_event_comes_again(
    slack, context, only_failures_and_recoveries, monkeypatch
):
    lambda_handler(finished("FAILED", 0), context)
    with monkeypatch.context() as without:
        without.setenv("SLACK_QUEUE", "absent")
        with pytest.raises(DeliveryError):
            lambda_handler(finished("SUCCEEDED", 1), context)
    lambda_handler(finished("SUCCEEDED", 2), context)

    lambda_handler(finished("SUCCEEDED", 1), context)

    assert [title.split("web-site ")[1] for title in titles(slack)] == ["failed", "succeeded again"]


def test_a_project_of_the_same_name_in_another_account_or_region_has_a_history_of_its_own(
    slack, context, only_failures_and_recoveries
):
    lambda_handler(finished("FAILED", 0), context)
    for minute, where in enumerate(("ap-northeast-2:444455556666", "us-east-1:111122223333"), 1):
        event = finished("SUCCEEDED", minute)
        event["region"], event["account"] = where.split(":")
        event["detail"]["build-id"] = event["detail"]["build-id"].replace("ap-northeast-2:111122223333", where)
        lambda_handler(event, context)

    assert titles(slack) == ["CodeBuild: build 142 of web-site failed"]
    assert len({item["project_arn"] for item in recorded()}) == 3


def test_a_build_of_another_account_and_region_is_told_with_these_and_links_there(slack, context):
    event = finished("FAILED")
    event["region"], event["account"] = "us-east-1", "444455556666"
    event["detail"]["build-id"] = event["detail"]["build-id"].replace(
        "ap-northeast-2:111122223333", "us-east-1:444455556666"
    )
    information(event)["logs"] = {}

    lambda_handler(event, context)

    assert "Account 444455556666 · us-east-1" in shown(slack)
    assert "https://us-east-1.console.aws.amazon.com/codesuite/codebuild/444455556666/projects/web-site/" in shown(
        slack
    )


def test_failures_from_before_the_switch_to_fewer_messages_count(slack, context, monkeypatch):
    lambda_handler(finished("FAILED", 0), context)
    monkeypatch.setenv("REPORT", "failures-and-recoveries")
    lambda_handler(finished("SUCCEEDED", 1), context)

    assert titles(slack)[-1] == "CodeBuild: build 141 of web-site succeeded again"


def test_a_build_that_is_not_told_is_logged_with_the_reason(slack, context, only_failures_and_recoveries, logs):
    told = lambda_handler(finished("SUCCEEDED"), context)

    assert told["told"] == []
    assert "neither a failure nor the first success after one" in logs.getvalue()


def test_a_queue_that_does_not_take_the_message_fails_the_event_and_gets_it_later(slack, context, monkeypatch):
    with monkeypatch.context() as without:
        without.setenv("SLACK_QUEUE", f"{os.environ['SLACK_QUEUE']}-absent")
        with pytest.raises(DeliveryError, match=r"Slack: .*NonExistentQueue"):
            lambda_handler(sample("codebuild_slack/failed"), context)

    lambda_handler(sample("codebuild_slack/failed"), context)

    assert len(titles(slack)) == 1


def test_a_missing_or_bad_setting_is_named(cloud, context, monkeypatch):
    monkeypatch.setenv("SLACK_WEBHOOK", "")
    monkeypatch.setenv("REPORT", "everything")

    with pytest.raises(SettingsError, match=r"SLACK_WEBHOOK: Field required; .*REPORT: Input should be 'all' or"):
        lambda_handler(sample("codebuild_slack/failed"), context)


def test_an_aws_error_fails_the_event_before_anything_is_told(slack, context, monkeypatch):
    monkeypatch.setenv("BUILDS_TABLE", "absent")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambda_handler(sample("codebuild_slack/failed"), context)

    assert titles(slack) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("build-id", "web-site:14aca4cf"), ("build-status", "IN_PROGRESS"), ("project-name", None)],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field(field, value, slack, context, logs):
    event = sample("codebuild_slack/failed")
    event["detail"][field] = value

    with pytest.raises(InvalidEvent, match=f"detail.{field}: "):
        lambda_handler(event, context)

    assert event["id"] in logs.getvalue()
    assert "14aca4cf" not in logs.getvalue()
    assert titles(slack) == []


def test_a_build_that_has_not_ended_and_another_detail_type_are_refused(slack, context):
    for name in ("in-progress", "phase-change"):
        with pytest.raises(InvalidEvent):
            lambda_handler(sample(f"codebuild_slack/{name}"), context)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("Nov 5, 2026 1:04:02 PM", "Nov 5, 2026 1:04:02 PM", "0 s"),
        ("Nov 5, 2026 11:59:59 AM", "Nov 5, 2026 12:00:01 PM", "2 s"),
        ("Nov 5, 2026 11:58:00 PM", "Nov 6, 2026 12:00:00 AM", "2 min"),
        ("Nov 5, 2026 1:00:00 AM", "Nov 5, 2026 3:00:07 AM", "2 h 7 s"),
        ("Nov 5, 2026 1:04:02\u202fPM", "Nov 5, 2026 1:05:02\u202fPM", "1 min"),
        ("Nov 5, 2026 1:04:02 PM", "Nov 5, 2026 1:04:01 PM", "0 s"),
        ("yesterday", "Nov 5, 2026 1:04:01 PM", ""),
        ("Nov 5, 2026 1:04:02 PM", "later", "1 min 49 s"),  # falls back to the event's own time
    ],
)
def test_the_duration_is_from_the_builds_start_to_its_end(start, end, expected):
    event = sample("codebuild_slack/failed")
    information(event)["build-start-time"] = start
    information(event)["phases"][-1]["start-time"] = end

    assert build.duration(parsed(event)) == expected


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("codepipeline/web-site-release", "pipeline web-site-release"),
        ("Alice", "Alice"),
        (
            "AWSReservedSSO_Admin_0123456789abcdef/alice@example.com",
            "AWSReservedSSO_Admin_0123456789abcdef/alice@example.com",
        ),
        ("CodeBuild-Jenkins-Plugin", "CodeBuild-Jenkins-Plugin"),
        (None, ""),
    ],
)
def test_a_pipeline_is_named_as_one_and_anybody_else_as_codebuild_does(said, shown):
    event = sample("codebuild_slack/failed")
    information(event)["initiator"] = said

    assert build.initiator(parsed(event)) == shown


def test_every_context_of_the_phase_is_shown_but_the_empty_ones():
    event = sample("codebuild_slack/failed")
    information(event)["phases"][6]["phase-context"] = [": ", "FIRST: one", "", "SECOND: two"]

    phase = build.unsuccessful_phase(parsed(event))

    assert phase is not None
    assert build.reason(phase) == "FIRST: one\nSECOND: two"


def located(region: str, partition: str, **logs: str | None) -> BuildFinished:
    """A build in the region, with these parts of its logs changed."""
    event = sample(
        "codebuild_slack/failed",
        build_id=f"arn:{partition}:codebuild:{region}:111122223333:build/web-site:14aca4cf-6399-4654-aae0-b9079ffafae8",
    )
    information(event)["logs"] |= {name.replace("_", "-"): value for name, value in logs.items()}
    return parsed(event | {"region": region})


@pytest.mark.parametrize(
    ("region", "link"),
    [
        (
            "ap-northeast-2",
            "https://console.aws.amazon.com/cloudwatch/home?region=ap-northeast-2#logEvent:group=g;stream=s",
        ),
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/g"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#logEvent:group=g"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logEvent:group=g"),
    ],
)
def test_the_events_link_to_the_logs_is_taken_when_it_leads_to_the_console_of_the_partition(region, link):
    assert build.logs_url(located(region, "aws", deep_link=link)) == link


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("ap-northeast-2", "aws", "console.aws.amazon.com"),
        ("cn-north-1", "aws-cn", "console.amazonaws.cn"),
        ("us-gov-east-1", "aws-us-gov", "console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "aws-eusc", "console.amazonaws-eusc.eu"),
    ],
)
@pytest.mark.parametrize(
    "logs",
    [
        {"deep_link": "https://console.example.com/cloudwatch/home#logEvent:group=g;stream=s"},
        {"deep_link": "http://console.aws.amazon.com/cloudwatch/home"},
        {"deep_link": "https://console.aws.amazon.com@example.com/"},
        {"deep_link": "https://["},
        {"deep_link": None},
        {"stream_name": None},  # no log stream was made: the link would say null
    ],
)
def test_without_a_good_link_to_the_logs_the_builds_own_page_is_linked(region, partition, host, logs):
    assert build.logs_url(located(region, partition, **logs)) == (
        f"https://{region}.{host}/codesuite/codebuild/111122223333/projects/web-site/build/"
        f"web-site%3A14aca4cf-6399-4654-aae0-b9079ffafae8?region={region}"
    )


def test_a_link_to_the_console_of_another_partition_is_not_taken():
    link = "https://console.aws.amazon.com/cloudwatch/home?region=cn-north-1#logEvent:group=g;stream=s"

    assert "cn-north-1.console.amazonaws.cn/codesuite" in build.logs_url(
        located("cn-north-1", "aws-cn", deep_link=link)
    )
