"""``make pictures``: the page as it stands, light and dark, into ``docs/pictures``."""

import shlex
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.page import chromium
from tests.page.serving import ROOT, serving
from tests.page.visitor import Visitor

FOLDER = ROOT / "docs" / "pictures"
SIZE = {"width": 1100, "height": 720}
COLOURS = 64
QUESTIONS = ("How do I add another enviroment?", "Who won the world cup in 1974?")


def looks() -> dict[str, str]:
    """What the settings say about how the bot looks."""
    command = [sys.executable, "-m", "stacks", "looks"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return dict(assignment.split("=", 1) for assignment in shlex.split(printed))


def picture(browser: Browser, address: str, scheme: str) -> bytes:
    """Return a conversation as a browser shows it, as PNG."""
    page = browser.new_page(viewport=SIZE, color_scheme=scheme, locale="en-GB")
    page.goto(address)
    visitor = Visitor(page, address)
    for number, question in enumerate(QUESTIONS, start=1):
        visitor.ask(question)
        visitor.hear("", answers=number)
    shot = page.screenshot()
    page.close()
    return shot


def save(shot: bytes, file: Path) -> None:
    """Write a picture with as few colours as it needs: a fifth of the bytes."""
    few = Image.open(BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


def main() -> int:
    """Take both pictures; 2 when there is no Chromium."""
    executable = chromium.find()
    if not executable:
        print(chromium.MISSING, file=sys.stderr)
        return 2
    with serving(ROOT / "knowledge", **looks()) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=chromium.arguments())
        for scheme in ("light", "dark"):
            save(picture(browser, address, scheme), FOLDER / f"page-{scheme}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
