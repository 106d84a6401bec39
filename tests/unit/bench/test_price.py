import json
from collections import Counter
from io import BytesIO

import pytest
from bench import price
from bench.price import LARGEST_PAYLOAD, LEAST, Result, many_fields, memory_rows, named, work_rows
from bench.prices import ROUND_TRIP, SIZES, duration, lambda_price, smallest
from bench.recorded import Answer, Invocation, Measured, again, memory
from PIL import Image

from image_resize.memory import room
from image_resize.picture import Limits, Unreadable, render
from tests.template_file import RESOURCES


def result(function: str = "basket", peak: float = 60.0) -> Result:
    """CPU: 300 ms to start, 100 for the first event, 10 for later ones, each with 2 calls, the first with one more."""
    first = Invocation(100.0, {"dynamodb.PutItem": 2, "secrets-manager.GetSecretValue": 1}, 500, 0.0)
    later = Invocation(10.0, {"dynamodb.PutItem": 2}, 400, 0.5)
    return Result(function, "Something happened", Measured(300.0, 50.0, peak, [first, *[later] * 9]))


def test_the_cpu_time_grows_with_what_a_size_lacks_to_one_vcpu_and_the_waits_do_not():
    assert duration(100.0, 20.0, 1769) == 120.0
    assert duration(100.0, 20.0, 256) == pytest.approx(100 * 1769 / 256 + 20)
    assert duration(100.0, 20.0, 3008) == 120.0


def test_lambda_bills_whole_milliseconds_by_memory_and_each_invocation():
    # 1,000,000 x 0.011 s x 0.25 GB x 0.0000133334 + 0.20
    assert lambda_price(10.2, 256, "arm64") == pytest.approx(0.23666685)
    assert lambda_price(10.2, 256, "x86_64") == pytest.approx(0.245833425)


def test_the_smallest_size_is_the_cheapest_as_long_as_it_holds_the_memory():
    assert smallest(102.4) == 128
    assert smallest(102.5) == 192
    prices = [lambda_price(duration(50.0, 80.0, size), size) for size in SIZES]
    assert prices == sorted(prices)


def test_what_is_called_only_at_first_is_named_apart():
    [row] = work_rows([result()])

    assert row[2:] == [
        *("300", "100", "10.0", "60", "2"),
        "2 dynamodb:PutItem; at first also secrets-manager:GetSecretValue",
    ]


def test_calls_are_named_with_their_number():
    assert named(Counter({"sns.Publish": 1, "s3.PutObject": 2, "s3.GetObject": 0})) == "2 s3:PutObject, sns:Publish"


def test_waits_are_those_for_calls_and_those_of_its_own_will():
    assert result().waits == 2 * ROUND_TRIP + 500


def test_the_largest_event_of_a_function_decides_which_sizes_hold_it():
    [row] = memory_rows([result()], [result(peak=150.0)])

    assert row[:4] == ["basket", "150", "192", str(memory("basket"))]
    assert row[4] == "-"
    assert row[5] == f"{lambda_price(duration(10, 520, 256), 256):.2f}, {(400 * 1769 / 256 + 30) / 1000:.1f} s"


def test_the_smallest_size_of_image_resize_is_one_with_which_it_takes_the_photo():
    file = BytesIO()
    Image.new("RGB", (4000, 3000)).save(file, "JPEG")
    sizes = [1600, 800, 200]

    assert render(file, sizes, ["keep"], Limits(10**8, room(LEAST["image_resize"])))
    with pytest.raises(Unreadable, match="takes up to"):
        render(file, sizes, ["keep"], Limits(10**8, room(SIZES[SIZES.index(LEAST["image_resize"]) - 1])))
    assert next(iter(memory_rows([result("image_resize")], [])))[2] == str(LEAST["image_resize"])


def test_every_function_of_the_template_has_a_situation():
    handlers = {
        item["Properties"]["Handler"].partition(".")[0]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::Serverless::Function"
    }

    assert set(price.SITUATIONS) == handlers


def test_the_largest_batch_is_nearly_as_large_as_lambda_hands_over():
    assert 0.8 * LARGEST_PAYLOAD < len(json.dumps(many_fields())) <= LARGEST_PAYLOAD


def test_recorded_answers_come_in_their_order_in_each_invocation_and_the_last_one_stays():
    answers = again({"s3.GetObject": [one := Answer(b"one"), two := Answer(b"two")]})

    assert [answers("s3.GetObject", nth, b"") for nth in (0, 1, 2, 0)] == [one, two, two, one]
    with pytest.raises(KeyError):
        answers("s3.PutObject", 0, b"")
