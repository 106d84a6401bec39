"""A pipe's input template, in the form that AWS documents, and no other."""

import pytest
from local.pipe import render

RECORD = {
    "eventName": "INSERT",
    "dynamodb": {"NewImage": {"id": {"S": "a-1"}, "price": {"N": "12.50"}, "city": {"S": "부산"}}},
}


def test_a_path_in_quotes_becomes_the_value_and_a_number_of_dynamodb_stays_text():
    template = '{"id": "<$.dynamodb.NewImage.id.S>", "price": "<$.dynamodb.NewImage.price.N>", "city": "<$.dynamodb.NewImage.city.S>"}'

    assert render(template, RECORD) == {"id": "a-1", "price": "12.50", "city": "부산"}


def test_a_path_that_the_record_does_not_have_is_an_error():
    with pytest.raises(KeyError, match="NewImages"):
        render('{"id": "<$.dynamodb.NewImages.id.S>"}', RECORD)


@pytest.mark.parametrize("variable", ["text", "order <$.eventName>", "<$.dynamodb.NewImage>", "<aws.pipes.pipe-arn>"])
def test_what_aws_does_not_document_or_a_detail_does_not_need_is_refused(variable):
    with pytest.raises(ValueError, match=r"is not one path|is no text"):
        render(f'{{"id": "{variable}"}}', RECORD)


@pytest.mark.parametrize("text", ['a "quoted" word', "two\nlines", "back\\slash"])
def test_a_value_that_needs_an_escape_is_refused(text):
    with pytest.raises(ValueError, match="needs an escape"):
        render('{"id": "<$.id>"}', {"id": text})
