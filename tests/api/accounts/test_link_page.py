"""The page that a letter's link opens, in a browser, as a person uses it."""

import os
import re
import shutil

import httpx
import pytest
from playwright.sync_api import sync_playwright

PASSWORD = "correct horse battery"
NEW = "another horse battery"


def test_a_person_follows_the_links_of_letters_in_a_browser(app, serve, letters):
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not on PATH: apt-get install chromium"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
        pytest.skip(reason)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        serve(app) as url,
        httpx.Client(base_url=url) as client,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=arguments) as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(15_000)
        complaints: list[str] = []
        asked: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))

        def follow(kind: str, password: str | None = None) -> str:
            page.goto("about:blank")
            page.goto(f"{url}/account/link#{kind}={letters.token(kind)}")
            assert letters.token(kind) not in page.url
            if password is not None:
                page.get_by_label("New password").fill(password)
            page.get_by_role("button", name="Confirm").click()
            # The page's policy lets nobody wait by a script of their own.
            said = page.locator("output").filter(has_text=re.compile(r"\S"))
            return said.text_content() or ""

        body = {"email": "eve@example.org", "password": PASSWORD, "handle": "eve"}
        assert client.post("/v1/auth/register", json=body).status_code == 201
        assert follow("confirm_email").startswith("Done")
        assert follow("confirm_email").startswith("It was used")
        client.post("/v1/auth/password/forgot", json={"email": "eve@example.org"})
        assert follow("reset_password", NEW).startswith("Done")
        login = {"email": body["email"], "password": NEW}
        assert client.post("/v1/auth/login", json=login).status_code == 200
        page.goto("about:blank")
        page.goto(f"{url}/account/link")
        assert page.locator("output").text_content() == "Open the whole link of the letter."
        assert complaints == []
        assert not any("mt_" in address.partition("#")[0] for address in asked)
