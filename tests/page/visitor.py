"""A person in front of the page: what they do, what they see, and what the bot has kept of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Locator, Page, expect

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 to level AA, and what axe's authors hold to be good practice.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Visitor:
    """One tab with the page in it."""

    page: Page
    bot: str

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your message")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    @property
    def answers(self) -> Locator:
        return self.log.locator(".answer")

    @property
    def questions(self) -> Locator:
        return self.log.locator(".mine")

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def greeting(self) -> Locator:
        return self.log.locator(".hello")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def ask(self, text: str) -> None:
        """Type a message and send it with the Enter key."""
        self.field.fill(text)
        self.field.press("Enter")

    def hear(self, text: str, *, answers: int = 1) -> None:
        """Expect that the last of so many answers says something."""
        expect(self.answers).to_have_count(answers)
        expect(self.answers.last).to_contain_text(text)
        expect(self.log).to_have_attribute("aria-busy", "false")

    @property
    def conversation(self) -> dict[str, Any]:
        """What the tab knows about its conversation."""
        kept = self.page.evaluate("Object.values(sessionStorage)")
        conversation: dict[str, Any] = json.loads(kept[0])["conversation"]
        return conversation

    def call(self, method: str, path: str = "", **request: Any) -> requests.Response:
        """Ask the bot itself about this tab's conversation, past the page and whatever fails on its way."""
        conversation = self.conversation
        url = f"{self.bot}v1/conversations/{conversation['conversation_id']}{path}"
        headers = {"Authorization": f"Bearer {conversation['token']}"}
        return requests.request(method, url, headers=headers, timeout=10, **request)

    def stored(self) -> list[dict[str, Any]]:
        """The turns that the bot has kept."""
        turns: list[dict[str, Any]] = self.call("GET", "/messages?limit=100").json()["messages"]
        return turns

    def violations(self) -> list[str]:
        """What axe finds against the page as it stands."""
        # Past the page's own policy, which lets no other script in.
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text()})
        options = json.dumps({"runOnly": AXE_TAGS})
        script = f"axe.run(document, {options}).then((found) => JSON.stringify(found.violations))"
        answer = session.send("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
        session.detach()
        return [
            f"{found['id']}: {found['help']}: {node['html']}"
            for found in json.loads(answer["result"]["value"])
            for node in found["nodes"]
        ]
