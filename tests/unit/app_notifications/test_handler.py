import json
from typing import Any

import boto3
import pytest

from app_notifications.handler import lambda_handler
from app_notifications.plan import masked, money
from app_notifications.sms import fits
from automations.errors import DeliveryError, InvalidEvent, SettingsError
from automations.events.application import ApplicationEvent
from tests.samples import sample
from tests.unit.app_notifications.departments import SETTINGS, Department, create_department

PERSONAL = ("haneul", "Kim", "김하늘", "4242", "erika", "mustermann")


@pytest.fixture
def finance(idempotency_table, monkeypatch):
    return department("finance", "FINANCE_TOPIC", monkeypatch)


@pytest.fixture
def care(idempotency_table, monkeypatch):
    return department("customer-care", "CUSTOMER_CARE_TOPIC", monkeypatch)


def department(name: str, variable: str, monkeypatch) -> Department:
    created = create_department(name)
    monkeypatch.setenv(variable, created.topic)
    return created


@pytest.fixture(autouse=True)
def _parameters(monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name.upper(), value)


def payment(**detail: Any) -> dict[str, Any]:
    return sample("app_notifications/payment-completed", **detail)


def account(**detail: Any) -> dict[str, Any]:
    return sample("app_notifications/account-created", **detail)


def labels(message: dict[str, Any]) -> list[str]:
    kind, value = message["attributes"]["labels"]
    assert kind == "String.Array"
    return json.loads(value)


def test_finance_alone_is_told_of_a_payment(finance, care, context):
    result = lambda_handler(payment(), context)

    [message] = finance.told()
    assert care.told() == []
    assert message["subject"] == "[INFO] Payment of KRW 98,000 by card from KR"
    for fact in ("pay_01KA2M7Q9S", "cus_01K9XV4T2B", "KRW 98,000", "card", "2026-11-16 02:14:08 UTC"):
        assert fact in message["texts"]["email"]
    assert result == {"about": "com.example.payments/PaymentCompleted/pay_01KA2M7Q9S", "labels": []}


def test_customer_care_alone_is_told_of_an_account(finance, care, context):
    lambda_handler(account(), context)

    [message] = care.told()
    assert finance.told() == []
    assert message["subject"] == "[INFO] New personal account from KR"
    for fact in ("acc_01KA2Q3F6D", "cus_01KA2Q3F6E", "h***@example.com", "2026-11-16 03:05:20 UTC"):
        assert fact in message["texts"]["email"]


def test_each_protocol_gets_its_text_and_an_sms_is_one(finance, care, context):
    lambda_handler(sample("app_notifications/large-payment", paymentId="p" * 64), context)

    [message] = finance.told()
    assert set(message["texts"]) == {"default", "email", "sms"}
    assert message["texts"]["default"] == message["texts"]["email"]
    assert message["texts"]["sms"].startswith(
        "Payment of EUR 12,500.00 by bank-transfer from DE (large-payment, new-region)"
    )
    assert fits(message["texts"]["sms"])


def test_a_queue_that_is_subscribed_gets_the_default_text_and_not_the_json_of_all(finance, care, context):
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="finance")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=finance.topic, Protocol="sqs", Endpoint=arn)

    lambda_handler(payment(), context)

    [received] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(received["Body"])["Message"] == finance.told()[0]["texts"]["default"]


def test_an_sms_names_the_payment_or_the_account(finance, care, context):
    lambda_handler(payment(), context)
    lambda_handler(account(), context)

    assert finance.told()[0]["texts"]["sms"] == "Payment of KRW 98,000 by card from KR: pay_01KA2M7Q9S"
    assert care.told()[0]["texts"]["sms"] == "New personal account from KR: acc_01KA2Q3F6D"


def test_subscriptions_can_filter_on_event_severity_country_and_labels(finance, care, context):
    lambda_handler(sample("app_notifications/large-payment"), context)
    lambda_handler(account(), context)

    assert finance.told()[0]["attributes"] == {
        "event": ("String", "PaymentCompleted"),
        "severity": ("String", "warning"),
        "country": ("String", "DE"),
        "labels": ("String.Array", '["large-payment", "new-region"]'),
    }
    assert care.told()[0]["attributes"] == {
        "event": ("String", "AccountCreated"),
        "severity": ("String", "info"),
        "country": ("String", "KR"),
        "labels": ("String.Array", '["usual"]'),
    }


@pytest.mark.parametrize(
    ("amount", "currency", "country", "expected"),
    [
        ("999999", "KRW", "KR", ["usual"]),
        ("1000000", "KRW", "KR", ["large-payment"]),
        ("999.99", "EUR", "JP", ["usual"]),
        ("1000", "EUR", "JP", ["large-payment"]),
        ("1.00", "USD", "KR", ["currency-without-threshold"]),
        ("98000", "KRW", "DE", ["new-region"]),
        ("5000.00", "EUR", "DE", ["large-payment", "new-region"]),
        ("0.500", "KWD", "KW", ["currency-without-threshold", "new-region"]),
    ],
)
def test_a_payment_is_classified_by_its_amount_and_country(amount, currency, country, expected, finance, care, context):
    lambda_handler(payment(amount=amount, currency=currency, country=country), context)

    [message] = finance.told()
    assert labels(message) == expected
    assert message["attributes"]["severity"][1] == ("info" if expected == ["usual"] else "warning")


def test_an_account_from_a_new_region_is_labelled(finance, care, context):
    lambda_handler(account(country="BR"), context)

    [message] = care.told()
    assert labels(message) == ["new-region"]
    assert message["subject"] == "[WARNING] New personal account from BR (new-region)"


def test_without_known_countries_no_region_is_new(finance, care, context, monkeypatch):
    monkeypatch.setenv("KNOWN_COUNTRIES", "")

    lambda_handler(account(country="BR"), context)

    assert labels(care.told()[0]) == ["usual"]


def test_the_same_payment_is_told_once_also_when_it_is_said_again_with_another_event_id(finance, care, context):
    lambda_handler(payment(), context)
    lambda_handler(payment(), context)
    lambda_handler(payment() | {"id": "11111111-2222-4333-8444-555555555555"}, context)
    lambda_handler(payment(paymentId="pay_2"), context)

    assert len(finance.told()) == 2


def test_the_same_id_of_a_payment_and_of_an_account_is_two_things(finance, care, context):
    lambda_handler(payment(paymentId="same"), context)
    lambda_handler(account(accountId="same"), context)

    assert (len(finance.told()), len(care.told())) == (1, 1)


def test_nothing_personal_is_in_the_logs_or_in_what_the_departments_get(finance, care, context, logs):
    for event in (payment(), account(), sample("app_notifications/large-payment")):
        lambda_handler(event, context)

    told = json.dumps([finance.told(), care.told()], ensure_ascii=False)
    assert not [word for word in PERSONAL if word in told + logs.getvalue()]
    assert "cus_" not in logs.getvalue()
    assert "pay_01KA2M7Q9S" in logs.getvalue()


def test_a_model_that_is_printed_shows_nothing_personal():
    for event in (payment(), account()):
        printed = repr(ApplicationEvent.model_validate(event)) + str(ApplicationEvent.model_validate(event))
        assert not [word for word in PERSONAL if word in printed]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (payment(amount=98000), "PaymentCompleted.detail.amount: Value error, must be a string of digits"),
        (payment(amount="1e9"), "PaymentCompleted.detail.amount: Value error, must be a string of digits"),
        (payment(amount="-5"), "PaymentCompleted.detail.amount: Value error, must be a string of digits"),
        (payment(amount="0"), "PaymentCompleted.detail.amount: Input should be greater than 0"),
        (payment(amount="98000.5"), "PaymentCompleted.detail.amount: Value error, must have at most 0 decimals"),
        (payment(currency="won"), "PaymentCompleted.detail.currency: String should match pattern"),
        (payment(country="Korea"), "PaymentCompleted.detail.country: String should match pattern"),
        (payment(method="cash"), "PaymentCompleted.detail.method: Input should be"),
        (
            payment(cardLastFour="4111111111114242"),
            "PaymentCompleted.detail.cardLastFour: Value error, must be the last four",
        ),
        (payment(completedAt="2026-11-16T02:14:08"), "PaymentCompleted.detail.completedAt: Input should have timezone"),
        (payment(paymentId="../pay 1"), "PaymentCompleted.detail.paymentId: String should match pattern"),
        (account(email="haneul.kim"), "AccountCreated.detail.email: Value error, must be an e-mail address"),
        (account() | {"source": "com.example.payments"}, "AccountCreated.source: String should match pattern"),
        (sample("app_notifications/payment-failed"), "does not match any of the expected tags"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field_and_without_its_value(
    event, problem, finance, care, context, logs
):
    with pytest.raises(InvalidEvent) as refusal:
        lambda_handler(event, context)

    assert problem in str(refusal.value)
    assert event["id"] in logs.getvalue()
    assert not [word for word in (*PERSONAL, "4111") if word in logs.getvalue()]
    assert (finance.told(), care.told()) == ([], [])


def test_when_the_topic_is_gone_the_event_fails_and_is_told_when_it_comes_again(finance, care, context, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setenv("FINANCE_TOPIC", finance.topic + "-gone")
        with pytest.raises(DeliveryError, match=r"SNS: .*NotFound"):
            lambda_handler(payment(), context)

    lambda_handler(payment(), context)

    assert len(finance.told()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("LARGE_PAYMENT_THRESHOLD", "", "LARGE_PAYMENT_THRESHOLD: Field required"),
        ("LARGE_PAYMENT_THRESHOLD", "KRW", "LARGE_PAYMENT_THRESHOLD.KRW: Input should be a valid decimal"),
        ("FINANCE_TOPIC", "", "FINANCE_TOPIC: Field required"),
    ],
)
def test_a_missing_or_bad_setting_is_named(variable, value, problem, finance, care, context, monkeypatch):
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=problem):
        lambda_handler(payment(), context)


def test_money_has_the_decimals_of_its_currency():
    amounts = [("KRW", "1250000"), ("EUR", "1250"), ("KWD", "1250.5"), ("CLF", "0.0001")]
    event = ApplicationEvent.model_validate

    shown = [
        money(event(payment(currency=currency, amount=amount)).root.detail.amount, currency)  # type: ignore[union-attr]
        for currency, amount in amounts
    ]

    assert shown == ["KRW 1,250,000", "EUR 1,250.00", "KWD 1,250.500", "CLF 0.0001"]


def test_an_address_is_masked_so_that_nobody_can_write_to_it():
    addresses = [
        ApplicationEvent.model_validate(account(email=email)).root.detail.email for email in ("a@b.kr", "가나@b.kr")
    ]

    assert [masked(address) for address in addresses if address] == ["a***@b.kr", "가***@b.kr"]
