"""What a report says: remediations, money, tables, the page, and the command."""

import io
import json
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from local import __main__ as command_line
from local import prices, terminal
from local.cloud import Aws, Cloud, LocalError
from local.commands import report as command
from local.report import remediations, savings
from local.report.figures import FAILED, GIVEN_UP, MILLISECONDS, RUNS, Figures
from local.report.month import month
from local.report.page import is_number, page, svg
from local.report.remediations import Remediation
from local.report.savings import Hourly, Machine
from local.report.sections import MOST_ROWS, Chart, Facts, Function, Section, dollars, empty, number, sections
from local.stack import Stack
from rich.console import Console

from tests.unit.conftest import ACCOUNT, REGION

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
NOVEMBER = month("2026-11", NOW)
DAY = date(2026, 11, 5)
TAG = "automations:office-hours"
HOURS = Function("office_hours", retried=True, memory=256, architecture="arm64")
BASKET = Function("basket", retried=False, memory=1024, architecture="arm64")


def facts(values: Mapping[tuple[str, str], float], functions: tuple[Function, ...] = (HOURS,), **more: Any) -> Facts:
    figures = Figures({key: {DAY: value} for key, value in values.items()})
    return Facts(NOVEMBER, "shop", REGION, functions, figures, **more)


def section(title: str, about: Facts) -> Section:
    [found] = [one for one in sections(about) if one.title.startswith(title)]
    return found


def pairs(found: Section) -> dict[str, str]:
    """What a table of two columns says."""
    return {row[0]: row[1] for row in found.rows}


# ---------------------------------------------------------------- remediations


def record(event: str = "1", actor: str = "user alice", day: str = "2026-11-05", **more: str) -> dict[str, Any]:
    return {
        "id": f"{day}/bucket_policy/{event}",
        "remediation": "bucket_policy",
        "kind": "exact undo",
        "outcome": "closed, and verified by reading back",
        "event": {"time": f"{day}T09:00:00Z"},
        "actor": {"who": actor},
        **more,
    }


def test_the_months_audit_records_are_read_each_as_it_was_written_last(cloud: None) -> None:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="audit", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="audit", VersioningConfiguration={"Status": "Enabled"})
    for one in (
        record(outcome="about to be changed"),
        record(),
        record("2", outcome="still open after its change"),
        record("3", day="2026-10-31"),
    ):
        s3.put_object(Bucket="audit", Key=f"audit/{one['id']}.json", Body=json.dumps(one).encode())

    found = remediations.read(s3, "audit", NOVEMBER)

    assert [one.closed for one in found] == [True, False]
    assert found[0] == Remediation("2026-11-05", "bucket_policy", "exact undo", "user alice", closed=True)


def test_remediations_are_counted_by_kind_and_actor_the_most_frequent_first() -> None:
    alice, role = record(), record(actor="role deploy, session ci")
    all_of_them = (role, alice, alice, {**alice, "outcome": "about to be changed"})
    found = [remediations.remediation(one) for one in all_of_them]

    rows = section("Remediations", facts({("security_remediation", "IncidentsTold"): 7}, changed=found))

    assert rows.rows == [
        ("bucket_policy", "exact undo", "user alice", "2", "1"),
        ("bucket_policy", "exact undo", "role deploy, session ci", "1", "0"),
    ]
    assert "told of 7 incidents" in rows.notes[0]
    assert list(rows.charts[1].bars.items()) == [("user alice", 3), ("role deploy, session ci", 1)]
    assert rows.charts[0].bars["5 Nov"] == 4


def test_very_many_actors_do_not_make_a_table_without_an_end() -> None:
    found = [remediations.remediation(record(actor=f"user u{number:03}")) for number in range(MOST_ROWS + 5)]

    rows = section("Remediations", facts({}, changed=found)).rows

    assert len(rows) == MOST_ROWS + 1
    assert rows[-1] == ("5 more rows", "", "", "5", "0")


def test_a_month_without_remediations_says_so() -> None:
    assert section("Remediations", facts({}, changed=[])).rows == [("none", "", "", "0", "0")]


# ---------------------------------------------------------------- money


def test_hours_become_money_by_the_price_of_an_hour_with_what_is_assumed() -> None:
    hourly = Hourly(0.05, "At the $0.05 that somebody said.")
    found = section("Office hours", facts({("office_hours", "HoursSaved"): 130.0}, hourly=hourly))

    assert found.rows[:2] == [("machine hours saved", "130"), ("money saved", "$6.50")]
    assert found.notes[0] == hourly.because


def test_hours_without_a_price_become_no_money_and_the_remedy_is_said() -> None:
    about = facts({("office_hours", "HoursSaved"): 130.0}, hourly=Hourly(None, "No. Give one: --hourly-price 0.05"))
    found = section("Office hours", about)

    assert found.rows[1] == ("money saved", "not known")
    assert "--hourly-price" in found.notes[0]


def stack(cloud: Cloud | Aws | None = None, **resources: str) -> Stack:
    made = Stack(cloud or Aws(None, REGION), "shop")
    vars(made).update(resources=resources, parameters={"ScheduleTag": TAG})
    return made


def test_a_price_that_is_given_is_taken_as_it_is() -> None:
    hourly = savings.hourly(stack(), 0.0104)

    assert (hourly.price, hourly.because) == (
        0.0104,
        "At the $0.0104 for an hour of a machine that --hourly-price says.",
    )


def test_the_local_cloud_is_not_asked_for_prices() -> None:
    hourly = savings.hourly(stack(Cloud("http://127.0.0.1:1", Path("log"))), None)

    assert hourly.price is None
    assert "has no price list" in hourly.because


def machine(value: str, kind: str = "t3.micro") -> None:
    ec2 = boto3.client("ec2")
    image = (
        ec2.describe_images()["Images"][0]["ImageId"] if ec2.describe_images()["Images"] else "ami-0123456789abcdef0"
    )
    tags = [{"ResourceType": "instance", "Tags": [{"Key": TAG, "Value": value}]}]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType=kind, TagSpecifications=tags)  # type: ignore[arg-type]


def test_only_machines_that_keep_office_hours_count(cloud: None) -> None:
    for value, kind in (("true", "t3.micro"), (" True ", "t3.micro"), ("stop-only", "m5.large"), ("false", "c5.large")):
        machine(value, kind)

    found = savings.tagged(boto3.client("ec2"), TAG)

    assert Counter(found.elements()).total() == 3
    assert {one.type: count for one, count in found.items()} == {"t3.micro": 2, "m5.large": 1}


def test_without_a_tagged_machine_there_is_no_price(cloud: None) -> None:
    hourly = savings.hourly(stack(), None)

    assert hourly.price is None
    assert f"No machine carries the tag {TAG}" in hourly.because


def test_a_role_that_may_not_ask_the_price_list_is_told_what_to_do(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("true")
    pricing = boto3.client("pricing", region_name="us-east-1")
    asked: list[str] = []

    def client(self: Aws, service: str, config: Any = None) -> Any:
        asked.append(f"{service} {config.region_name if config else ''}".strip())
        return pricing if service == "pricing" else boto3.client(service)  # type: ignore[call-overload]

    monkeypatch.setattr(Aws, "client", client)
    with Stubber(pricing) as stubber:
        stubber.add_client_error("get_products", "AccessDeniedException", "not authorized")
        hourly = savings.hourly(stack(), None)

    assert asked == ["ec2", "pricing us-east-1"]
    assert hourly.price is None
    assert "Allow pricing:GetProducts" in hourly.because
    assert "--hourly-price" in hourly.because


MICRO = Machine("t3.micro", "RunInstances", "default")
LARGE = Machine("m5.large", "RunInstances:0002", "dedicated")


def product(*prices_of_an_hour: str, unit: str = "Hrs", currency: str = "USD") -> str:
    """A product as the price list has it, with a made-up price.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
    """
    dimensions = {f"d{price}": {"unit": unit, "pricePerUnit": {currency: price}} for price in prices_of_an_hour}
    reserved = {"r": {"priceDimensions": {"d": {"unit": "Hrs", "pricePerUnit": {"USD": "0.001"}}}}}
    return json.dumps(
        {"product": {}, "terms": {"OnDemand": {"t": {"priceDimensions": dimensions}}, "Reserved": reserved}}
    )


@pytest.mark.parametrize(
    ("products", "price"),
    [
        ([product("0.0130000000")], 0.013),
        ([product("0.0130000000"), product("0.0130000000")], 0.013),
        ([product("0.0130000000"), product("0.0000000000")], 0.013),  # of what is reserved and paid for already
        ([product("0.013"), product("0.02")], None),
        ([product("0.09", currency="CNY")], None),
        ([product("0.013", unit="Quantity")], None),
        ([], None),
    ],
    ids=["one", "the same twice", "nothing to pay", "two", "no dollars", "not by the hour", "none"],
)
def test_the_price_list_is_believed_when_it_names_one_price(products: list[str], price: float | None) -> None:
    pricing = boto3.client("pricing", region_name="us-east-1")
    wanted = {
        "regionCode": REGION,
        "instanceType": "m5.large",
        "operation": "RunInstances:0002",
        "tenancy": "Dedicated",
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }
    asked = {
        "ServiceCode": "AmazonEC2",
        "Filters": [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
    }
    with Stubber(pricing) as stubber:
        stubber.add_response("get_products", {"PriceList": products}, asked)

        assert savings.listed(pricing, LARGE, REGION) == price


def test_the_price_is_the_mean_of_the_machines_each_counted_alike() -> None:
    hourly = savings.average(Counter({MICRO: 3, LARGE: 1}), {MICRO: 0.01, LARGE: 0.09})

    assert hourly.price == pytest.approx(0.03)
    assert "1 m5.large (RunInstances:0002, dedicated), 3 t3.micro" in hourly.because


def test_a_machine_without_a_price_leaves_the_money_unknown() -> None:
    hourly = savings.average(Counter({MICRO: 3, LARGE: 1}), {MICRO: 0.01, LARGE: None})

    assert hourly.price is None
    assert "no single price for m5.large" in hourly.because


def test_the_application_costs_its_gb_seconds_and_runs_at_list_prices() -> None:
    used = {("office_hours", RUNS): 1000.0, ("office_hours", MILLISECONDS): 4_000_000.0}
    found = section("Price", facts(used))

    # 4,000 s x 0.25 GB, and a thousand runs
    assert prices.of_lambda(1000, 1000, "arm64") == pytest.approx(0.0133334 + 0.0002)
    assert found.rows == [
        ("office_hours", "1,000", "256", "1,000.00", "$0.0135"),
        ("all", "1,000", "", "1,000.00", "$0.0135"),
    ]
    assert f"{prices.READ} for {prices.REGION}" in found.notes[0]
    assert "$0.0000133334 for a GB second on arm64" in found.notes[0]


def test_in_another_region_it_is_said_that_prices_may_differ() -> None:
    about = Facts(NOVEMBER, "shop", "eu-central-1", [HOURS], Figures({("office_hours", RUNS): {DAY: 1.0}}))

    assert "The stack is in eu-central-1" in section("Price", about).notes[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "$0.00"), (0.65, "$0.65"), (1234.5, "$1,234.50"), (0.0135, "$0.0135"), (0.00001, "less than $0.0001")],
)
def test_money_has_as_many_digits_as_are_worth_reading(value: float, text: str) -> None:
    assert dollars(value) == text


def test_whole_numbers_are_written_without_a_point() -> None:
    assert (number(1200.0), number(13.25)) == ("1,200", "13.2")


# ---------------------------------------------------------------- the other sections


def test_what_failed_and_was_not_given_up_was_tried_again() -> None:
    ran = {("office_hours", RUNS): 10.0, ("office_hours", FAILED): 4.0, ("office_hours", GIVEN_UP): 1.0}
    ran |= {("basket", RUNS): 5.0, ("basket", FAILED): 2.0}

    assert section("Failures", facts(ran, (HOURS, BASKET))).rows == [
        ("office_hours", "10", "4", "3", "1"),
        ("basket", "5", "2", "-", "-"),
    ]


def test_events_that_lambda_gave_up_without_a_run_make_no_negative_number() -> None:
    ran = {("office_hours", RUNS): 10.0, ("office_hours", GIVEN_UP): 3.0}

    assert section("Failures", facts(ran)).rows == [("office_hours", "10", "0", "0", "3")]


def test_snapshots_that_were_put_off_or_failed_are_missed() -> None:
    counted = {"Created": 30.0, "Copied": 30.0, "Deleted": 28.0, "Skipped": 2.0, "Failed": 1.0, "Broken": 0.0}
    told = facts({("rds_backup", f"Backups{name}"): value for name, value in counted.items()}, kept=14)

    rows = pairs(section("Snapshots", told))

    assert (rows["made"], rows["of these still kept, here"], rows["missed"]) == ("30", "14", "3")


def test_messages_are_counted_by_channel() -> None:
    slack = Function("slack_sender", retried=False, memory=128, architecture="arm64")
    sent = {("slack_sender", "SlackMessagesPosted"): 12.0, ("AlertsTopic", "NumberOfMessagesPublished"): 5.0}

    found = section("Messages", facts(sent, (slack,), topics=["AlertsTopic"]))

    rows = pairs(found)
    assert (rows["Slack: messages posted"], rows["AlertsTopic: published"]) == ("12", "5")
    assert found.charts[0].bars["5 Nov"] == 17
    assert "Slack and by mail counts in both" in found.notes[0]


def test_other_work_is_what_no_other_section_tells_and_what_was_done_at_all() -> None:
    done = {("office_hours", "HoursSaved"): 13.0, ("basket", "BasketsCheckedOut"): 2.0}
    resize = Function("image_resize", retried=True, memory=2048, architecture="arm64")

    assert section("What else", facts(done, (HOURS, BASKET, resize))).rows == [("basket", "checkouts", "2")]


def test_what_is_not_deployed_is_left_out() -> None:
    ran = {("basket", RUNS): 5.0, ("basket", "BasketsCheckedOut"): 2.0}

    titles = [one.title for one in sections(facts(ran, (BASKET,)))]

    assert titles == ["What else was done", "Failures and retries", "Price of the application: Lambda"]


def test_an_empty_month_is_said_in_words() -> None:
    nothing = facts({("office_hours", RUNS): 0.0}, hourly=Hourly(0.05, ""), changed=[])

    assert empty(nothing)
    assert not empty(facts({("office_hours", RUNS): 1.0}))
    assert not empty(facts({}, changed=[remediations.remediation(record())]))
    title, about, found = command.tell(nothing)
    assert (title, found) == (f"shop in {REGION}, November 2026", [])
    assert about == "Until now, 22 November 06:30 UTC; the month is not over. Nothing ran, and nothing was changed."


# ---------------------------------------------------------------- the page

SCRIPT = "<script>alert('x')</script>\"&"


def test_whatever_an_event_contains_is_escaped_on_the_page() -> None:
    found = [remediations.remediation(record(actor=SCRIPT, remediation=SCRIPT, kind=SCRIPT))]
    chart = Chart(SCRIPT, {SCRIPT: 1.0}, by_day=False)
    shown = [*sections(facts({}, changed=found)), Section(SCRIPT, (SCRIPT,), [(SCRIPT,)], (SCRIPT,), (chart,))]

    text = page(SCRIPT, SCRIPT, shown)

    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in text


def test_the_page_is_whole_in_itself_and_forbids_to_load_anything() -> None:
    text = page("Report", "About", sections(facts({("office_hours", RUNS): 3.0}, hourly=Hourly(0.05, "So."))))

    assert "default-src 'none'" in text
    assert "://" not in text
    assert "src=" not in text.replace("default-src", "").replace("style-src", "")
    assert text.count("<svg") == 2  # runs, and the price; a chart of nothing is left out


def test_a_bar_is_as_high_as_its_share_of_the_largest() -> None:
    drawn = svg(Chart("Hours", {"1 Nov": 2.0, "2 Nov": 4.0, "3 Nov": 0.0}))

    heights = [part.split('"')[0] for part in drawn.split('height="')[1:]]
    assert heights == ["52.0", "104.0", "0.0"]
    assert "<title>2 Nov: 4</title>" in drawn
    assert "<desc>Hours: 1 Nov: 2, 2 Nov: 4</desc>" in drawn


def test_a_lying_bar_has_its_name_and_its_money_beside_it() -> None:
    drawn = svg(Chart("Price", {"a": 2.0, "b" * 60: 0.00001}, by_day=False, money=True))

    assert ">$2.00</text>" in drawn
    assert f">{'b' * 33}…</text>" in drawn
    assert "less than $0.0001" in drawn


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (("1", "2,000", "0.5"), True),
        (("130", "$6.50"), True),
        (("-", "3", ""), True),
        (("130", "not known"), True),
        (("less than $0.0001",), True),
        (("office_hours", "3"), False),
    ],
)
def test_a_column_of_numbers_is_known(column: tuple[str, ...], numbers: bool) -> None:
    assert is_number(column) is numbers


# ---------------------------------------------------------------- the command


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    output = io.StringIO()
    monkeypatch.setattr(command, "console", Console(file=output, soft_wrap=True, highlight=False, width=200))
    return output


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Facts:
    """What the command finds; its actor has a name like the markup of the terminal."""
    changed = [remediations.remediation(record(actor="[red]user[/] [link=x]"))]
    found = facts({("office_hours", RUNS): 3.0, ("office_hours", "HoursSaved"): 13.0}, changed=changed)
    monkeypatch.setattr(command, "read", lambda *_: found)
    monkeypatch.setattr(command, "chosen_stack", lambda _: stack())
    return found


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["local", "report", *arguments])
    return command_line.main()


def test_the_terminal_shows_what_an_event_contains_as_it_is(
    read: Facts, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(monkeypatch) == 0

    assert "[red]user[/] [link=x]" in printed.getvalue()
    assert "Failures and retries" in printed.getvalue()


def test_the_page_is_written_where_it_is_asked_for(
    read: Facts, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"

    assert call(monkeypatch, "--html", str(file)) == 0

    assert f"Written to {file}" in printed.getvalue()
    assert "[red]user[/] [link=x]" in file.read_text()


def test_a_page_that_cannot_be_written_is_named(
    read: Facts,
    printed: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(terminal.console, "_file", io.StringIO())
    monkeypatch.setattr(command_line, "console", Console(file=(said := io.StringIO()), soft_wrap=True))

    assert call(monkeypatch, "--html", str(tmp_path / "no" / "report.html")) == 1

    assert "cannot be written: No such file or directory" in said.getvalue()


@pytest.mark.parametrize("text", ["-1", "free", "nan", "inf", "99999"])
def test_what_is_no_price_is_refused(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        call(monkeypatch, f"--hourly-price={text}")

    assert "no price of an hour" in capsys.readouterr().err


@pytest.fixture
def deployed(cloud: None) -> Stack:
    """A stack in an account, with three functions and what they have left there this month."""
    role = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    arn = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(role))["Role"]["Arn"]
    names = ["OfficeHoursFunction", "RdsBackupFunction", "SecurityRemediationFunction"]
    functions: Any = boto3.client("lambda")
    for name in names:
        functions.create_function(
            FunctionName=f"shop-{name}",
            Role=arn,
            Runtime="python3.13",
            Handler="handler.lambda_handler",
            Code={"ZipFile": b"nothing"},
            MemorySize=512,
            Architectures=["arm64"],
        )
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="audit", CreateBucketConfiguration={"LocationConstraint": REGION})
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    s3.put_object(
        Bucket="audit", Key=f"audit/{today}/bucket_policy/1.json", Body=json.dumps(record(day=today)).encode()
    )
    rds: Any = boto3.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="admin1", MasterUserPassword="not-a-secret",
    )  # fmt: skip
    own = [{"Key": "automations:created-by", "Value": "rds-backup"}]
    for name, tags in (("automations-orders-1", own), ("by-hand", [])):
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="orders", Tags=tags)
    for namespace, metric, dimension, of in (
        ("EventBridgeAutomations", "HoursSaved", "service", "office_hours"),
        ("AWS/Lambda", "Invocations", "FunctionName", "shop-OfficeHoursFunction"),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName", "alerts"),
    ):
        datum: Any = {"MetricName": metric, "Value": 13, "Dimensions": [{"Name": dimension, "Value": of}]}
        datum["Timestamp"] = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
        boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
    return stack(None, AuditBucket="audit", AlertsTopic=topic, **{name: f"shop-{name}" for name in names})


def test_on_aws_everything_is_read_from_the_account(deployed: Stack) -> None:
    now = datetime.now(UTC)
    about = command.read(deployed, month("", now + timedelta(seconds=1)), 0.05)

    assert {one.folder: (one.memory, one.retried) for one in about.functions} == dict.fromkeys(
        ("office_hours", "rds_backup", "security_remediation"), (512, True)
    )
    assert about.kept == 1
    assert about.changed == [Remediation(f"{now:%Y-%m-%d}", "bucket_policy", "exact undo", "user alice", closed=True)]
    assert section("Office hours", about).rows[:2] == [("machine hours saved", "13"), ("money saved", "$0.65")]
    assert pairs(section("Messages", about))["AlertsTopic: published"] == "13"
    assert section("Failures", about).rows == [("office_hours", "13", "0", "0", "0")]


def test_a_stack_that_is_not_there_is_named(cloud: None) -> None:
    with pytest.raises(LocalError, match="There is no stack shop"):
        command.read(Stack(Aws(None, REGION), "shop"), NOVEMBER)
