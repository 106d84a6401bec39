from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import requests
from local.receiver import Answer

from automations import http, waiting
from automations.errors import DeliveryError, Rejected

PATH = "/hooks/hunter2"


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.waits: list[float] = []

    def seconds_left(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= seconds


@pytest.fixture
def clock() -> Clock:
    return Clock(30)


@pytest.fixture
def post(web, clock, monkeypatch) -> Callable[..., object]:
    """Post to the receiver, or to another URL; between two attempts pass 1.5 seconds of the clock."""
    monkeypatch.setattr(http, "backoff", lambda attempt: 1.5)
    return lambda url=f"{web.url}{PATH}": http.post(
        url, b"{}", {"X-Test": "1"}, receiver="Slack", seconds_left=clock.seconds_left, sleep=clock.sleep
    )


def test_what_the_receiver_takes_is_posted_once(web, post):
    post()

    [request] = web.requests
    assert request.path == PATH
    assert request.body == b"{}"
    assert request.headers["X-Test"] == "1"


@pytest.fixture
def request_to(web, clock) -> Callable[..., http.Answer]:
    """Send a request to the receiver, by method; other arguments as those of `http.request`."""
    return lambda method, **more: http.request(
        method,
        f"{web.url}{PATH}?token=hunter2",
        more.pop("body", None),
        {},
        receiver="The API",
        seconds_left=clock.seconds_left,
        sleep=clock.sleep,
        **more,
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [None, b"{}"])
def test_every_method_is_sent_with_and_without_a_body(method, body, web, request_to):
    answer = request_to(method, body=body)

    [request] = web.requests
    assert (request.method, request.body) == (method, body or b"")
    assert (answer.status, answer.body, answer.cut, answer.attempts) == (200, b"ok", False, 1)


@pytest.mark.parametrize("status", [302, 400, 404])
def test_an_answer_that_stands_is_returned_whatever_its_status(status, web, request_to):
    web.answer(f"{PATH}?token=hunter2", Answer(503), Answer(status, {"X-Reason": "none"}, b"no"))

    answer = request_to("GET")

    assert (answer.status, answer.headers["x-reason"], answer.body, answer.attempts) == (status, "none", b"no", 2)
    assert len(web.requests) == 2


@pytest.mark.parametrize(("most", "body", "cut"), [(4, b"1234", True), (5, b"12345", False), (0, b"", True)])
def test_no_more_of_an_answer_is_kept_than_is_wanted(most, body, cut, web, request_to):
    web.answer(f"{PATH}?token=hunter2", Answer(body=b"12345"))

    answer = request_to("GET", most_bytes=most)

    assert (answer.body, answer.cut) == (body, cut)


def test_no_more_of_an_answer_is_read_than_is_wanted(web, request_to, monkeypatch):
    chunks = iter([b"123", b"45", b"67"])
    monkeypatch.setattr(requests.Response, "iter_content", lambda answer, size: chunks)

    answer = request_to("GET", most_bytes=4)

    assert (answer.body, answer.cut) == (b"1234", True)
    assert list(chunks) == [b"67"]


def test_an_answer_that_does_not_come_to_its_end_in_time_is_given_up(web, request_to, clock, monkeypatch):
    def slowly(answer: requests.Response, size: int) -> Iterator[bytes]:
        for _ in range(100):
            clock.left -= 7
            yield b"."

    monkeypatch.setattr(requests.Response, "iter_content", slowly)

    with pytest.raises(DeliveryError, match=r"in 1 attempt; the last: no answer \(Timeout\)"):
        request_to("GET")

    assert clock.left == -5


def test_the_latency_is_that_of_the_answered_attempt(web, request_to):
    web.answer(f"{PATH}?token=hunter2", Answer(503), Answer(delay=0.2))

    assert 0.2 <= request_to("GET").seconds < 5


def test_addresses_are_not_logged_at_any_level(web, request_to, caplog):
    caplog.set_level("DEBUG")

    request_to("GET")

    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_passing_trouble_is_tried_again(status, web, post):
    web.answer(PATH, Answer(status), Answer(status))

    post()

    assert len(web.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 418, 422, 451])
def test_a_refusal_is_final_at_once(status, web, post):
    web.always(PATH, Answer(status, body=b"channel_is_archived"))

    with pytest.raises(Rejected, match=f"Slack refused the message: {status} channel_is_archived"):
        post()

    assert len(web.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status, web, post):
    web.always(PATH, Answer(status, {"Location": f"{web.url}/elsewhere"}))

    with pytest.raises(Rejected, match=f"Slack refused the message: {status}"):
        post()

    assert [request.path for request in web.requests] == [PATH]


@pytest.mark.parametrize("body", [b'{"error": "bad text: hunter3"}', b"hunter3", b"no hunter", b"hunter" * 20])
def test_the_reason_is_left_out_when_it_may_repeat_the_message(body, web, post):
    web.always(PATH, Answer(400, body=body))

    with pytest.raises(Rejected) as failure:
        post()

    assert "hunter" not in str(failure.value)
    assert "400" in str(failure.value)


def test_no_connection_is_tried_again_until_the_time_is_up(post, clock):
    clock.left = 4

    with pytest.raises(DeliveryError, match=r"did not take the message in 3 attempts; the last: no answer") as failure:
        post("http://127.0.0.1:1/hunter2")

    assert clock.waits == [1.5, 1.5]
    assert not isinstance(failure.value, Rejected)


def test_an_answer_that_is_too_slow_is_tried_again(web, post, monkeypatch):
    monkeypatch.setattr(http, "READ_TIMEOUT", 0.1)
    web.answer(PATH, Answer(delay=5))

    post()

    assert len(web.requests) == 2


def test_an_answer_that_breaks_off_is_tried_again(web, post):
    web.answer(PATH, Answer(headers={"Content-Encoding": "gzip"}, body=b"no gzip"))

    post()

    assert len(web.requests) == 2


def test_it_waits_as_many_seconds_as_it_is_asked_to(web, post, clock):
    web.answer(PATH, Answer(429, {"Retry-After": "7"}), Answer(503, {"Retry-After": "2"}))

    post()

    assert clock.waits == [7.0, 2.0]


def test_it_waits_until_the_moment_that_it_is_asked_to_wait_for(web, post, clock):
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 20, UTC)
    web.answer(PATH, Answer(429, {"Retry-After": format_datetime(moment, usegmt=True)}))

    post()

    [wait] = clock.waits
    assert 15 < wait <= 20


@pytest.mark.parametrize("header", ["0", "-5", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", ""])
def test_it_waits_its_own_time_when_it_is_asked_for_none(header, web, post, clock):
    web.answer(PATH, Answer(429, {"Retry-After": header}))

    post()

    assert clock.waits == [1.5]


@pytest.mark.parametrize("header", ["30", "31", "1e9", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_that_does_not_fit_into_the_time_left_is_not_begun(header, web, post, clock):
    web.always(PATH, Answer(429, {"Retry-After": header}))

    with pytest.raises(DeliveryError, match=r"in 1 attempt; the last: 429"):
        post()

    assert clock.waits == []
    assert len(web.requests) == 1


def test_without_time_nothing_is_tried(web, post, clock):
    clock.left = 0

    with pytest.raises(DeliveryError, match="in 0 attempts; the last: no time was left to try"):
        post()

    assert web.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/hunter2",
        "https://127.0.0.1:port/hunter2",
        "https:///hunter2",
        "ftp://127.0.0.1/hunter2",
        "hunter2",
    ],
)
def test_the_url_is_never_in_an_error(url, post, clock):
    clock.left = 1

    with pytest.raises(DeliveryError) as failure:
        post(url)

    assert "hunter2" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None or failure.value.__suppress_context__


def test_the_url_is_not_in_the_error_of_a_refusal_either(web, post):
    web.always(PATH, Answer(403, body=f"no access to {PATH}".encode()))

    with pytest.raises(Rejected) as failure:
        post()

    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("http://127.0.0.1:8080/slack", True),
        ("http://localhost:8080/slack", True),
        ("http://hooks.slack.com/services/T/B/x", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://127.0.0.1@example.com/", False),
        ("http://10.0.0.1/", False),
        ("ftp://127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://[", False),
        ("hooks.slack.com/services", False),
        ("", False),
    ],
)
def test_messages_may_only_go_over_https_or_to_this_machine(url, safe):
    assert http.is_safe_url(url) is safe


def test_messages_may_go_over_http_to_the_host_of_the_local_cloud(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://172.17.0.1:4566")

    assert http.is_safe_url("http://172.17.0.1:8080/slack")
    assert not http.is_safe_url("http://172.17.0.2:8080/slack")


def test_the_time_left_keeps_a_reserve_for_an_orderly_end(context):
    context.seconds_left = 10

    assert waiting.time_left(context)() == 10 - waiting.RESERVE


def test_the_backoff_grows_and_has_a_limit():
    for attempt, most in [(1, 1.0), (2, 2.0), (3, 4.0), (20, waiting.LONGEST_BACKOFF)]:
        assert all(0.2 <= waiting.backoff(attempt) <= most for _ in range(100))
