import boto3
import pytest

from automations import secrets
from automations.errors import SecretError
from automations.secrets import read_secret, standard_key

URL = "https://hooks.slack.com/services/T000/B000/hunter2"


@pytest.fixture(params=["secretsmanager:team/slack", "ssm:/team/slack"])
def store(request, cloud):
    """A store by the reference to a secret in it; `write` stores the secret's text."""
    return Store(request.param)


class Store:
    def __init__(self, reference: str) -> None:
        self.reference = reference

    def write(self, text: str) -> None:
        if self.reference.startswith("ssm:"):
            boto3.client("ssm").put_parameter(Name="/team/slack", Value=text, Type="SecureString", Overwrite=True)
        elif boto3.client("secretsmanager").list_secrets()["SecretList"]:
            boto3.client("secretsmanager").put_secret_value(SecretId="team/slack", SecretString=text)
        else:
            boto3.client("secretsmanager").create_secret(Name="team/slack", SecretString=text)


def test_a_secret_is_read_from_the_store_that_its_reference_names(store):
    store.write(f" {URL}\n")

    assert read_secret(store.reference) == URL


def test_a_secret_is_cached(store):
    store.write(URL)
    read_secret(store.reference)
    store.write("another")

    assert read_secret(store.reference) == URL


def test_a_secret_is_read_anew_after_five_minutes(store, monkeypatch):
    assert secrets.CACHED_SECONDS == 300
    monkeypatch.setattr(secrets, "CACHED_SECONDS", 0)
    store.write(URL)
    read_secret(store.reference)
    store.write("another")

    assert read_secret(store.reference) == "another"


def test_an_absent_secret_is_named_with_the_reason_and_the_remedy(store):
    with pytest.raises(SecretError, match=f"The secret {store.reference} cannot be read .*NotFound.* Create it"):
        read_secret(store.reference)


def test_an_empty_secret_is_named(store):
    store.write(" ")

    with pytest.raises(SecretError, match=f"The secret {store.reference} is empty or not text"):
        read_secret(store.reference)


def test_a_binary_secret_is_refused_without_its_content(cloud):
    boto3.client("secretsmanager").create_secret(Name="team/slack", SecretBinary=b"hunter2")

    with pytest.raises(SecretError, match="is empty or not text") as failure:
        read_secret("secretsmanager:team/slack")

    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("reference", [URL, "hunter2", "secretsmanager:", "ssm:", "vault:hunter2", ""])
def test_a_bad_reference_is_refused_and_not_shown_because_it_may_be_the_secret_itself(reference, cloud):
    with pytest.raises(SecretError, match="write secretsmanager:NAME or ssm:/NAME") as failure:
        read_secret(reference)

    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("written", ["whsec_a2V5LXY=", "whsec_a2V5LXY", "a2V5LXY="])
def test_a_key_of_standard_webhooks_is_base64_padded_or_not(written):
    assert standard_key(written) == b"key-v"


@pytest.mark.parametrize("written", ["", "whsec_", "whsec_key of mine", "whsec_a2V5!LXY=", "whsec_a"])
def test_what_is_no_base64_is_no_key(written):
    assert standard_key(written) == b""
