"""Debian's headless Chromium, driven by selenium."""

from __future__ import annotations

import base64
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip


class Page:
    """One page in a browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def show(self, file: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Load `file` in a window of this size."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(file.as_uri())

    def all(self, selector: str) -> list[WebElement]:
        """What `selector` finds and a reader sees."""
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

    def one(self, selector: str) -> WebElement:
        """The first of those."""
        return self.all(selector)[0]

    def texts(self, selector: str) -> list[str]:
        """Their texts."""
        return [one.text for one in self.all(selector)]

    def run(self, script: str) -> object:
        """Value of a line of JavaScript."""
        value: object = self.driver.execute_script(f"return {script}")
        return value

    @contextmanager
    def without_scripts(self) -> Iterator[None]:
        """Pages shown meanwhile run no script."""
        command = "Emulation.setScriptExecutionDisabled"
        self.driver.execute_cdp_cmd(command, {"value": True})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd(command, {"value": False})

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(shot["data"])

    def complaints(self) -> list[str]:
        """What the browser wrote to its console: refused scripts, things that could not be loaded."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@contextmanager
def browser() -> Iterator[Page]:
    """A browser of its own, gone afterwards."""
    assert CHROMIUM is not None
    assert DRIVER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for option in (*_OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            yield Page(driver)
        finally:
            driver.quit()
