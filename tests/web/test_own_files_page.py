"""A student puts a file in and takes it away again, in a real browser on a fake LXD."""

import os
import zipfile
from pathlib import Path

import pytest
from class_pages import signed_in
from operator_page import Operator
from playwright.sync_api import Browser
from web_university import University

pytestmark = pytest.mark.web
NAME = "<b>&'report'.txt"


def test_a_file_goes_in_and_comes_out(browser: Browser, university: University, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("mine\n")
    with signed_in(browser, university, "mia", "light") as page:
        mia = Operator(page, university.site.address.url, os.environ.get("PRACTICUM_SCREENSHOTS", ""))
        page.goto(f"{mia.link}/courses/net101")
        mia.click("My files")
        page.get_by_label("File from your device").set_input_files(tmp_path / NAME)
        mia.click("Upload")
        mia.sees(NAME)
        mia.shot("files")
        with page.expect_download() as one:
            mia.click(NAME)
        assert Path(one.value.path()).read_text() == "mine\n"
        with page.expect_download() as many:
            mia.click("Download this folder")
        assert many.value.suggested_filename == "home.zip"
        with zipfile.ZipFile(many.value.path()) as archive:
            assert archive.read(NAME) == b"mine\n"
        page.set_viewport_size({"width": 360, "height": 700})
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        mia.shot("files-phone-dark")
        assert mia.complaints == []
