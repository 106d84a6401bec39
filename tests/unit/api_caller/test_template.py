import pytest

from api_caller.template import Expression, Template, fill_json, parse_json

EVENT = {
    "id": "5b0f3a9c",
    "region": "ap-northeast-2",
    "detail": {
        "build-id": "web:1",
        "name": '배포 "1"',
        "count": 3,
        "ratio": 1.5,
        "done": False,
        "tags": ["a", "b"],
        "source": {"branch": "main"},
        "empty": "",
        "nothing": None,
    },
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain { text }", "plain { text }"),
        ("{{id}}", "5b0f3a9c"),
        ("run {{ id }} in {{region}}!", "run 5b0f3a9c in ap-northeast-2!"),
        ('{{detail."build-id"}}', "web:1"),
        ("{{detail.count}}/{{detail.ratio}}/{{detail.done}}", "3/1.5/false"),
        ("{{join(',', detail.tags)}}", "a,b"),
        ("{{detail.absent || 'none'}}", "none"),
        ("{{detail.empty}}.", "."),
        ("{{'{{'}}", "{{"),
        ("{{ {a: {b: id} }.a.b }}", "5b0f3a9c"),
        ("{{\n id \n}}", "5b0f3a9c"),
    ],
)
def test_text_is_filled_in(text, filled):
    assert Template.parse(text).text(EVENT) == filled


def test_only_what_comes_from_the_event_is_encoded():
    assert Template.parse("a/{{id}}/b").text(EVENT, str.upper) == "a/5B0F3A9C/b"


@pytest.mark.parametrize("text", ["{{id", "id}}", "{{id}} }}", "{{ {a: {b: id}}.a }}", "{{", "}}{{"])
def test_braces_that_are_no_pair_are_refused(text):
    with pytest.raises(ValueError, match=r"come in pairs|no JMESPath expression"):
        Template.parse(text)


@pytest.mark.parametrize(
    "text", ["{{}}", "{{ }}", "{{detail.}}", "{{detail.build-id}}", "{{a b}}", "{{'a}}", "{{$.id}}"]
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ValueError, match="this is no JMESPath expression"):
        Template.parse(text)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("detail.absent", "the event has nothing at detail.absent"),
        ("detail.nothing", "the event has nothing at detail.nothing"),
        ("detail.tags", "detail.tags gives a list, where text must stand"),
        ("detail.source", "detail.source gives a map, where text must stand"),
        ("length(detail.count)", r"length\(detail.count\) cannot be evaluated: JMESPathTypeError"),
        ("shout(id)", r"shout\(id\) cannot be evaluated: UnknownFunctionError"),
    ],
)
def test_what_gives_no_text_is_refused_by_its_expression(expression, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        Template.parse(f"x{{{{{expression}}}}}").text(EVENT)


def test_an_error_shows_nothing_of_the_event():
    with pytest.raises(ValueError, match="cannot be evaluated") as failure:
        Expression("to_number(detail.tags) && length(detail.count)  || sum(detail.tags)").of(EVENT)

    assert "'a'" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_in_json_one_expression_alone_keeps_its_type_and_one_with_text_around_it_is_text():
    parsed = parse_json(
        {
            "number": "{{detail.count}}",
            "flag": "{{detail.done}}",
            "list": "{{detail.tags}}",
            "map": ["{{detail.source}}", 7, None, True],
            "text": "{{detail.count}} builds",
            "quoted": "{{detail.name}}",
            "fixed": 1.5,
        }
    )

    assert fill_json(parsed, EVENT, "body") == {
        "number": 3,
        "flag": False,
        "list": ["a", "b"],
        "map": [{"branch": "main"}, 7, None, True],
        "text": "3 builds",
        "quoted": '배포 "1"',
        "fixed": 1.5,
    }


def test_the_whole_event_may_be_the_body():
    assert fill_json(parse_json("{{@}}"), EVENT, "body") == EVENT


def test_a_bad_text_in_json_is_named_by_where_it_is():
    with pytest.raises(ValueError, match=r"^runs\.1\.id: this is no JMESPath expression$"):
        parse_json({"runs": ["a", {"id": "{{a b}}"}]})
    with pytest.raises(ValueError, match=r"^a\.\{\{id\}\}: a name holds no expressions$"):
        parse_json({"a": {"{{id}}": 1}})
    with pytest.raises(ValueError, match=r"^body\.runs\.0: the event has nothing at detail\.absent$"):
        fill_json(parse_json({"runs": ["{{detail.absent}}"]}), EVENT, "body")
