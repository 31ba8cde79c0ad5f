"""A headless Chromium driven over --remote-debugging-pipe, with the standard library alone.

The protocol (https://chromedevtools.github.io/devtools-protocol/) is JSON, each message ended by a zero byte: the browser reads
commands from descriptor 3 and writes answers and events to descriptor 4.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def executable():
    """The browser's path; None where none is installed."""
    named = os.environ.get("LLMBENCH_CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


class Failure(Exception):
    pass


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="llmbench-chromium-")
        self.log_path = os.path.join(self.folder, "log")
        command_read, command_write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in os.pipe())
        answer_read, answer_write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in os.pipe())
        arguments = [
            executable(), "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder}/profile",
            "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-default-apps", "--metrics-recording-only", "--mute-audio", "--hide-scrollbars",
            "--disable-features=Translate,MediaRouter,OptimizationHints", "--force-color-profile=srgb",
            # A request that leaves this machine fails, whatever page asks for it.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ]
        if os.getuid() == 0:
            # Chromium's own sandbox does not start for root; the pages here are the tests' own.
            arguments.append("--no-sandbox")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self.pid = os.posix_spawn(
            arguments[0], arguments + ["about:blank"], dict(os.environ, HOME=self.folder),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, self.log_path, flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, command_read, 3),
                (os.POSIX_SPAWN_DUP2, answer_write, 4),
            ],
            setpgroup=0)
        os.close(command_read)
        os.close(answer_write)
        self.commands, self.answers = command_write, answer_read
        self.buffer = b""
        self.serial = 0
        self.listeners = []

    def close(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, limit):
        """One message; None where none comes before `limit`, a time of time.monotonic()."""
        while b"\0" not in self.buffer:
            rest = limit - time.monotonic()
            if rest <= 0 or not select.select([self.answers], [], [], rest)[0]:
                return None
            data = os.read(self.answers, 1 << 20)
            if not data:
                with open(self.log_path, errors="replace") as log:
                    raise Failure("the browser ended: " + log.read()[-2000:])
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, timeout=30, **params):
        self.serial += 1
        command = {"id": self.serial, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        serial, limit = self.serial, time.monotonic() + timeout
        while True:
            message = self.read(limit)
            if message is None:
                raise Failure(f"no answer to {method} within {timeout} s")
            if message.get("id") == serial:
                if "error" in message:
                    raise Failure(f"{method}: {message['error']}")
                return message["result"]
            self.dispatch(message)

    def dispatch(self, message):
        for listener in self.listeners:
            listener(message)

    def pump(self, seconds):
        """Takes events for a while."""
        limit = time.monotonic() + seconds
        while True:
            message = self.read(limit)
            if message is None:
                return
            self.dispatch(message)


class Page:
    """One tab: what it requested, what it complained of, and hands and eyes."""

    def __init__(self, browser, width=1280, height=900, dark=False, script=True):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.problems, self.requests, self.loaded = [], [], 0
        browser.listeners.append(self.hear)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        self.media("prefers-color-scheme", "dark" if dark else "light")
        # A page that still glides to its place moves away from under the pointer.
        self.media("prefers-reduced-motion", "reduce")
        if not script:
            self.send("Emulation.setScriptExecutionDisabled", value=True)

    def send(self, method, **params):
        return self.browser.send(method, session=self.session, **params)

    def hear(self, message):
        if message.get("sessionId") != self.session:
            return
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded += 1
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append("log: " + params["entry"]["text"] + " " + params["entry"].get("url", ""))

    def resize(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def media(self, name, value):
        features = getattr(self, "features", {})
        features[name] = value
        self.features = features
        self.send("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in features.items()])

    def open(self, url, timeout=30):
        before = self.loaded
        answer = self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise Failure(f"{url}: {answer['errorText']}")
        # A change of the fragment alone loads nothing.
        if "loaderId" in answer:
            self.until(lambda: self.loaded > before, f"{url} to load", timeout)
        self.browser.pump(0.1)

    def reload(self):
        before = self.loaded
        self.send("Page.reload")
        self.until(lambda: self.loaded > before, "the page to load again")

    def until(self, condition, what, timeout=20):
        limit = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > limit:
                raise Failure(f"waited {timeout} s for {what}")
            self.browser.pump(0.05)

    def js(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failure(expression + ": " + details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def key(self, name, text=None, shift=False):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(name, ord(name[0].upper()))
        text = text if text is not None else {"Enter": "\r", " ": " "}.get(name, name if len(name) == 1 else "")
        params = dict(key=name, windowsVirtualKeyCode=code, modifiers=8 if shift else 0)
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **params)
        self.send("Input.dispatchKeyEvent", type="keyUp", **params)

    def type(self, text):
        for character in text:
            self.key(character)

    def point(self, selector):
        """The middle of an element, scrolled into sight."""
        box = self.js(f"""(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;
            e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const r = e.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2]; }})()""")
        if not box:
            raise Failure(f"no element {selector}")
        return box

    def click(self, selector):
        x, y = self.point(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def hover(self, selector):
        x, y = self.point(selector)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def shoot(self, path, whole=True):
        params = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            params["clip"] = dict(x=0, y=0, width=size["width"], height=min(size["height"], 6000), scale=1)
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.send("Page.captureScreenshot", timeout=60, **params)["data"]))

    def quiet(self, base, expected=()):
        """Fails where the page complained of anything but what is expected, or asked for anything that does not lie below `base`."""
        self.browser.pump(0.1)
        problems = [p for p in self.problems if not any(part in p for part in expected)]
        if problems:
            raise Failure("the browser complains: " + "; ".join(problems[:5]))
        strangers = [url for url in self.requests if not url.startswith(base) and url != "about:blank"]
        if strangers:
            raise Failure("requests beyond the report: " + ", ".join(strangers[:5]))
