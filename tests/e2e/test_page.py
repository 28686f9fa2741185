"""The page as people use it: in Chromium, by keyboard, with nothing leaving."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect, sync_playwright

from policies.engine.graph import Stage
from policies.engine.model import Finding, Verdict
from policies.report import evidence, html
from scripts.judge import observed
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH")


@pytest.fixture(scope="module")
def report():
    folder = ROOT / "tests" / "faults" / "stacks" / "C00_sg_bad"
    return observed([folder], None, None, NOW, with_checkov=False).report


def written(report, path):
    collected = evidence.collected(report)
    path.write_text(html.render(report, collected, drawings={}, changes=None, keyid=""))
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """Return a page that fails the test where it complains, or asks for anything but itself."""
    opened = browser.new_page()
    problems, asked = [], []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    opened.close()

    assert [] == problems
    assert {True} == {url.startswith("file:") and "index.html" in url for url in asked}


def shown(page):
    return page.locator(".row:visible").count()


def test_findings_are_searched_and_filtered_and_the_address_keeps_it(page, report, tmp_path):
    address = written(report, tmp_path / "index.html")
    page.goto(address)
    everything = shown(page)
    page.fill("#search", "ssh 22")
    searched = shown(page)
    page.select_option("#verdict", "blocks")

    assert everything == len(report.findings)
    assert 0 < searched < everything
    assert "search=ssh+22&verdict=blocks" in page.url
    assert f"{shown(page)} of {everything} findings" == page.locator("#count").inner_text()

    page.goto(page.url)
    assert searched == shown(page)
    page.click("#clear")
    assert everything == shown(page)


def test_a_requirement_leads_to_its_policy_and_its_resources(page, report, tmp_path):
    page.goto(written(report, tmp_path / "index.html"))
    page.click("#req-1\\.3\\.1 summary")
    page.click("#req-1\\.3\\.1 a[href='#policy-security_groups.internet_ingress']")
    section = page.locator("[id='policy-security_groups.internet_ingress']")

    assert re.search(r"EVD-1\.3\.1-\d{3}", section.inner_text())
    expect(section.locator(".row").first).to_contain_text("open to the Internet")


def test_everything_is_reached_by_keyboard(page, report, tmp_path):
    page.goto(written(report, tmp_path / "index.html"))
    page.keyboard.press("/")
    page.keyboard.type("retention")
    assert "retention" == page.input_value("#search")
    page.focus("#req-1\\.3\\.1 summary")
    page.keyboard.press("Enter")

    assert page.locator("#req-1\\.3\\.1 table").is_visible()


def test_it_is_read_without_script(browser, report, tmp_path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written(report, tmp_path / "index.html"))

    assert len(report.findings) == shown(page)
    assert not page.locator(".filters").is_visible()
    context.close()


def test_ten_thousand_findings_are_searched(page, report, tmp_path):
    """How long it takes is measured by the bench; here it has to work at all."""
    many = tuple(
        Finding(
            policy="keys.rotation",
            resource=f"stack/aws_kms_key.k{number}",
            stage=Stage.DESIGN,
            verdict=Verdict.FAIL if number % 10 == 0 else Verdict.PASS,
            messages=("enable_key_rotation is not true",) if number % 10 == 0 else (),
        )
        for number in range(10_000)
    )
    page.goto(written(replace(report, findings=many), tmp_path / "index.html"))
    page.fill("#search", "k9990")

    assert 1 == shown(page)
    assert "1 of 10,000 findings" == page.locator("#count").inner_text()
