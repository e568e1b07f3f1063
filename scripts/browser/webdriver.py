"""A headless Chromium over WebDriver (https://www.w3.org/TR/webdriver2/): HTTP and JSON to `chromedriver`, standard library only."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Up": "\ue013", "Down": "\ue015", "Left": "\ue012", "Right": "\ue014", "Enter": "\ue007", "Tab": "\ue004",
        "Home": "\ue011", "End": "\ue010", "Escape": "\ue00c", "Space": " "}


class Refused(Exception):
    """What chromedriver answered instead of a result."""


class Browser:
    """One browser with a profile of its own; use it in a `with`."""

    def __init__(self, width=1280, height=900):
        self.size = (width, height)

    def __enter__(self):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        if not driver or not chromium:
            raise SystemExit("chromium and chromedriver are needed: apt-get install chromium chromium-driver")
        self.folder = tempfile.TemporaryDirectory(prefix="report-browser-", ignore_cleanup_errors=True)
        self.driver = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env={**os.environ, "HOME": self.folder.name, "TMPDIR": self.folder.name})
        # It says on which port it listens, then nothing that matters.
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.base = f"http://127.0.0.1:{found[1]}"
                break
        else:
            raise SystemExit("chromedriver did not start")
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio", "--force-prefers-reduced-motion",
                     "--autoplay-policy=no-user-gesture-required", "--force-color-profile=srgb",
                     f"--user-data-dir={self.folder.name}/profile", f"--window-size={self.size[0]},{self.size[1]}"]
        options = {"binary": chromium, "args": arguments,
                   "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False}}
        logs = {"browser": "ALL", "performance": "ALL"}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs}
        self.session = ""
        try:
            made = self.ask("POST", "", {"capabilities": {"alwaysMatch": capabilities}}, root=True)
        except Exception:
            self.close()
            raise
        self.session = made["sessionId"]
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self.ask("DELETE", "")
            except Refused:
                pass
        self.driver.terminate()
        self.driver.wait(20)
        self.folder.cleanup()

    def ask(self, method, path, body=None, root=False):
        """One command; gives its value."""
        url = f"{self.base}/session" + ("" if root else f"/{self.session}{path}")
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        # Never through a proxy: it is this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error)["value"]["message"].split("\n")[0]) from None

    def open(self, path):
        self.ask("POST", "/url", {"url": Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        """The value of a function body; elements come back as what `find` gives."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})

    def click(self, selector_or_element):
        element = self.find(selector_or_element) if isinstance(selector_or_element, str) else selector_or_element
        self.ask("POST", f"/element/{element[ELEMENT]}/click")

    def type(self, selector, text):
        self.ask("POST", f"/element/{self.find(selector)[ELEMENT]}/value", {"text": text})

    def press(self, *keys):
        """Keys to what has the focus, one after the other."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def log(self, kind):
        """What was logged since the last call."""
        return self.ask("POST", "/se/log", {"type": kind})

    def size_to(self, width, height):
        """A viewport of this size, smaller than a window can be, too."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def prefer(self, scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", features=features)

    def save(self, path, whole=True):
        """A screenshot of the page, or of what is seen of it."""
        parameters = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
            parameters["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        Path(path).write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", **parameters)["data"]))
