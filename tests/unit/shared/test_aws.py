import pytest

from automations import aws

FACTORIES = {name: value for name, value in vars(aws).items() if hasattr(value, "cache_clear") and name != "_session"}


@pytest.fixture(autouse=True)
def new_clients(_lambda_environment):
    aws.forget_clients()
    yield
    aws.forget_clients()


@pytest.mark.parametrize("name", FACTORIES)
def test_each_client_is_made_once_and_has_the_common_retries_and_timeouts(name):
    client = FACTORIES[name]()

    assert FACTORIES[name]() is client
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.read_timeout) == (3, 15 if name == "s3" else 5)  # S3 carries files


def test_all_clients_are_forgotten():
    before = {name: factory() for name, factory in FACTORIES.items()}

    aws.forget_clients()

    assert all(factory() is not before[name] for name, factory in FACTORIES.items())


def test_an_empty_endpoint_url_counts_as_absent_and_a_given_one_is_used(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert aws.sns().meta.endpoint_url == "https://sns.ap-northeast-2.amazonaws.com"

    aws.forget_clients()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert aws.sns().meta.endpoint_url == "http://127.0.0.1:4566"
