"""The page: complete, self-contained, valid, and honest about what is missing."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from vcycle.analysis import render_report, write_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags are closed in order; collects text, pictures and references."""

    def __init__(self, source: str):
        super().__init__()
        self.open: list[str] = []
        self.text, self.pictures, self.references = "", [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        named = dict(attrs)
        self.references += [named[name] for name in ("src", "href", "action") if name in named]
        if tag == "img":
            self.pictures.append(named)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


@pytest.fixture(scope="module")
def source(made) -> str:
    return render_report(made.example())


@pytest.fixture(scope="module")
def page(source) -> Page:
    return Page(source)


@pytest.fixture(scope="module")
def bare(made):
    """An evaluation without anything that can be missing."""
    return replace(made.example(), bounds=(), cost=None, spectrum=None, resolutions=(), history=(), cases=())


def test_the_page_is_well_formed_and_loads_nothing(source, page):
    assert page.open == []
    assert page.references and all(reference.startswith("data:image/") for reference in page.references)
    assert "<script" not in source and "@import" not in source and "url(" not in source


def test_every_picture_has_words_for_those_who_cannot_see_it(page):
    assert len(page.pictures) == 6  # distribution, training, one case, bounds, spectrum, grids
    assert all(picture["alt"] for picture in page.pictures)


def test_the_headline_numbers_are_on_the_page(page):
    text = " ".join(page.text.replace("\u2009", " ").split())
    for words in (
        "MgNO for Darcy flow",
        "−div(a grad u) = f",
        "3.0 % in the median",
        "The discrete bound held on all 5 samples",
        "the solver is 2.0 times faster, and there is no gain in time",
        "the network is 3.0 times faster",
        "solution of the PDE",
        "refused: too fine",
        "not as accurate at any tolerance",
        "network with its bound",
        "2024-02-29",
    ):
        assert words in text


def test_words_from_outside_are_escaped(page):
    assert "<script>" in page.text and "a < b & c" in page.text  # as text, not as a tag


def test_without_an_equation_the_page_says_that_nothing_is_guaranteed(bare, page):
    found = Page(render_report(bare))
    assert found.open == [] and len(found.pictures) == 1
    assert found.text.count("There is no bound for these predictions") == 2
    assert "Cost at equal accuracy" not in found.text and "Other grids" not in found.text
    assert "There is no bound" not in page.text


def test_a_bound_that_failed_is_an_alarm(made, bare):
    source = render_report(replace(bare, bounds=(made.effectivity("discrete", 0.5),)))
    assert 'class="alarm">The discrete bound FAILED' in source


def test_every_output_channel_is_shown(made, bare):
    (case,) = made.example().cases
    both = replace(case, reference=case.reference.repeat(2, 1, 1), prediction=case.prediction.repeat(2, 1, 1))
    found = Page(render_report(replace(bare, output_names=("u", "p"), cases=(both,))))
    assert "Median case: u" in found.text and "Median case: p" in found.text


def test_the_file_is_utf8(bare, tmp_path):
    write_report(bare, tmp_path / "report.html")
    assert "16 × 16" in (tmp_path / "report.html").read_text("utf-8")
