from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, model_validator

from automations.errors import SettingsError
from automations.settings import COMMA_SEPARATED, EnvSettings


class Settings(EnvSettings):
    alerts_topic: str
    most: int = Field(default=3, ge=1)
    report: Literal["all", "few"] = "all"
    enabled: bool = False
    sizes: Annotated[list[int], COMMA_SEPARATED] = Field(default=[800])


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:alerts")
    for name in ("MOST", "REPORT", "ENABLED", "SIZES"):
        monkeypatch.delenv(name, raising=False)


def test_each_field_is_read_from_the_variable_of_its_name(monkeypatch):
    for name, value in {"MOST": "5", "REPORT": "few", "ENABLED": "true", "SIZES": "1600, 800,200"}.items():
        monkeypatch.setenv(name, value)

    settings = Settings.from_env()

    assert settings == Settings(
        alerts_topic="arn:aws:sns:ap-northeast-2:123456789012:alerts",
        most=5,
        report="few",
        enabled=True,
        sizes=[1600, 800, 200],
    )


def test_an_empty_variable_counts_as_absent(monkeypatch):
    for name in ("MOST", "REPORT", "ENABLED", "SIZES"):
        monkeypatch.setenv(name, "")

    settings = Settings.from_env()

    assert (settings.most, settings.report, settings.enabled, settings.sizes) == (3, "all", False, [800])


def test_an_empty_variable_that_is_required_is_missing(monkeypatch):
    monkeypatch.setenv("ALERTS_TOPIC", "")

    with pytest.raises(SettingsError, match="ALERTS_TOPIC: Field required"):
        Settings.from_env()


def test_every_missing_or_bad_variable_is_named_and_no_value_is_shown(monkeypatch):
    monkeypatch.delenv("ALERTS_TOPIC")
    bad = {"MOST": "hunter2", "REPORT": "hunter3", "ENABLED": "hunter4", "SIZES": "800,hunter5"}
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter6")

    with pytest.raises(SettingsError) as failure:
        Settings.from_env()

    for name in ("ALERTS_TOPIC: ", "MOST: ", "REPORT: ", "ENABLED: ", "SIZES.1: "):
        assert name in str(failure.value)
    assert "hunter" not in str(failure.value)
    assert failure.value.__suppress_context__  # the trace that Lambda writes leaves pydantic's error out


def test_settings_that_do_not_go_together_are_said_to_be_wrong_together(monkeypatch):
    class Buckets(EnvSettings):
        uploads: str
        derivatives: str

        @model_validator(mode="after")
        def differ(self) -> Self:
            if self.uploads == self.derivatives:
                raise ValueError("UPLOADS and DERIVATIVES must differ")
            return self

    monkeypatch.setenv("UPLOADS", "pictures")
    monkeypatch.setenv("DERIVATIVES", "pictures")

    with pytest.raises(SettingsError, match="together: Value error, UPLOADS and DERIVATIVES must differ"):
        Buckets.from_env()


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("1600,800,200", [1600, 800, 200]), (" 1600 ,, 800, ", [1600, 800]), ("200", [200]), (",", [])],
)
def test_a_comma_separated_list_may_have_spaces_and_empty_parts(text, sizes, monkeypatch):
    monkeypatch.setenv("SIZES", text)

    assert Settings.from_env().sizes == sizes


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings.from_env().most = 4  # type: ignore[misc]
