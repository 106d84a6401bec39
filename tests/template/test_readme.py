"""The documents held against the template, the commands and each other."""

import re
import shlex
from pathlib import Path

import pytest
from local.__main__ import parser

from tests.documents import DOCUMENTS
from tests.template.test_template import folder_of
from tests.template_file import ROOT, TEMPLATE

README = (ROOT / "README.md").read_text()


def test_the_table_of_automations_is_complete_and_names_the_parameter_that_turns_each_on() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(docs/automations/(\w+)\.md\) \|.*\| `(\w+)`.*\|$", README, re.MULTILINE)

    switches = [parameter for parameter in TEMPLATE["Parameters"] if parameter.startswith("Enable")]
    assert {(name, folder, switch) for name, folder, switch in rows} == {
        (folder_of(switch.removeprefix("Enable")), folder_of(switch.removeprefix("Enable")), switch)
        for switch in switches
    }


def test_every_parameter_that_a_readme_names_exists() -> None:
    of_make = {"EVENT", "PORT", "PYTHON", "BIND_HOST", "TARGET", "PROFILE"}
    for path in [ROOT / "README.md", ROOT / "docs/deploy.md", *ROOT.glob("functions/*/README.md")]:
        named = set(re.findall(r"\b([A-Z]\w+)=", path.read_text())) - of_make
        assert named <= set(TEMPLATE["Parameters"]), path


def test_every_command_of_make_that_a_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        named = {a or b for a, b in re.findall(r"`make ([a-z]+)|^ +make ([a-z]+)", path.read_text(), re.MULTILINE)}
        assert named <= targets, path


def commands() -> list[str]:
    """The whole commands of `python -m local` in all documents; not those of which only the form is shown."""
    found = {
        command.strip()
        for path in DOCUMENTS
        for command in re.findall(r"\.venv/bin/python -m local ([^`>#\n]*)", path.read_text())
    }
    return sorted(command for command in found if not re.search(r"[\[(]|\.\.\.", command))


@pytest.mark.parametrize("command", commands())
def test_every_command_that_a_document_shows_is_one(command: str) -> None:
    assert callable(parser().parse_args(shlex.split(command)).run)


def test_every_file_that_a_document_links_to_exists_and_has_the_heading_that_the_link_names() -> None:
    for path in DOCUMENTS:
        for link, _, heading in (link.partition("#") for link in links(path) if "://" not in link):
            target = path.parent / link if link else path
            assert target.exists(), f"{path.name} links to {link}"
            assert not heading or heading in headings(target), f"{path.name} links to {link}#{heading}"


def test_every_link_to_elsewhere_is_a_whole_address_of_https() -> None:
    """Whether it is there is not asked: the tests use no network."""
    elsewhere = {link for path in DOCUMENTS for link in links(path) if "://" in link}

    assert not [link for link in elsewhere if not re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/[^\s<>\"]*)?", link)]


def links(document: Path) -> list[str]:
    """Where the links and pictures of a document lead to; not what is code."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)]+)\)", text)


def test_every_picture_is_shown_by_a_document_and_has_words_for_who_cannot_see_it() -> None:
    shown = {
        (path.parent / link).resolve(): words
        for path in DOCUMENTS
        for words, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", path.read_text())
    }

    assert set((ROOT / "docs" / "images").iterdir()) == set(shown)
    assert all(shown.values())


def headings(document: Path) -> set[str]:
    """As GitHub names them in links: small letters and hyphens, without other marks."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_sample_event_that_a_document_names_exists() -> None:
    for path in DOCUMENTS:
        for name in re.findall(r"\bevents/\w+/[\w-]+\.json", path.read_text()):
            assert (ROOT / name).exists(), f"{path} names {name}"
