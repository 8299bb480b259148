"""Somebody at a browser: clicks by the names that people read, and keeps what the browser complained about."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# How long a stage on real machines may take on a busy host.
STAGE_MS = 90_000


def chromium(playwright: Playwright, program: str) -> Browser:
    return playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))


@dataclass
class Operator:
    """A person with a login link. `complaints` are errors of scripts, and what the page's policy stopped."""

    page: Page
    link: str
    screenshots: str = ""
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))

    @property
    def address(self) -> str:
        """Where the web page answers, without a path."""
        parts = urlsplit(self.link)
        return f"{parts.scheme}://{parts.netloc}"

    def sign_in(self) -> None:
        self.page.goto(self.link)
        self.click("Sign in")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def click(self, name: str) -> None:
        """Click a button, or a link that looks like one."""
        link = self.page.get_by_role("link", name=name, exact=True)
        summary = self.page.locator("summary", has_text=name)
        self.button(name).or_(link).or_(summary).first.click()

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"#{name}").fill(text)

    def choose(self, name: str, value: str) -> None:
        self.page.locator(f"#{name}").select_option(value)

    def sees(self, text: str, timeout: float = STAGE_MS) -> None:
        """Wait until a text is shown."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def type(self, command: str) -> None:
        """Type a command into the terminal."""
        self.page.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.type(f"{command}\n")

    def reads(self, text: str) -> None:
        """Wait until the terminal shows a text."""
        expect(self.page.locator(".xterm-rows")).to_contain_text(text, timeout=15_000)

    def shot(self, name: str) -> None:
        """Take a screenshot, when somebody wants to look at them."""
        if self.screenshots:
            self.page.screenshot(path=Path(self.screenshots) / f"{name}.png", full_page=True)
