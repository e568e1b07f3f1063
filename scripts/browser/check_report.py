#!/usr/bin/env python3
"""Reads and plays reports in a real Chromium.

    python3 scripts/browser/check_report.py target/release/harness [FOLDER_FOR_SCREENSHOTS]

Makes the demo's run (`experiments/weights.yaml --demo`) and some made-up run folders, writes their pages with `harness report`, opens
them from disk in a headless Chromium and does what a reader does: clicks a point of the map, moves and plays with the keyboard, sorts,
filters, turns the light off. No page may log an error, run a stranger's script or ask for anything but files of its folder. Needs
`chromium` and `chromedriver` and only Python's standard library; ends with 1 when something is not as it should be.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import made_up
from webdriver import Browser, Refused

REPOSITORY = Path(__file__).resolve().parents[2]


class Wrong(Exception):
    """Something on a page is not as it should be."""


def check(condition, what):
    if not condition:
        raise Wrong(what)


def until(browser, script, what, seconds=15):
    """Wait for a script's value to be true; gives it."""
    end = time.monotonic() + seconds
    while True:
        value = browser.run(script)
        if value:
            return value
        check(time.monotonic() < end, f"{what}: still {value!r} after {seconds} s")
        time.sleep(0.05)


# What the one player plays, decoded, and how far it is.
SOURCE = "return decodeURIComponent(document.getElementById('audio').currentSrc.split('/').slice(-2).join('/'))"
POSITION = "return document.getElementById('audio').currentTime"


def hears(browser, source, what):
    """The player plays this file, and its time goes on."""
    until(browser, f"return {SOURCE.removeprefix('return ')} === {json.dumps(source)}", f"{what}: {source} is not what plays")
    began = until(browser, f"{POSITION} > 0 && {POSITION.removeprefix('return ')}", f"{what}: {source} does not start")
    until(browser, f"{POSITION} > {began}", f"{what}: {source} does not go on")
    check(browser.run("return !document.getElementById('audio').paused"), f"{what}: the player is paused")


def quiet(browser, what):
    """No error was logged and nothing asked for but files, since the last call."""
    errors = [entry["message"] for entry in browser.log("browser")]
    check(not errors, f"{what}: the console says {errors}")
    asked = {}
    for entry in browser.log("performance"):
        message = json.loads(entry["message"])["message"]
        parameters = message["params"]
        if message["method"] == "Network.requestWillBeSent":
            asked[parameters["requestId"]] = parameters["request"]["url"]
        elif message["method"] == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            # The page's policy stopped it: nothing was sent.
            asked.pop(parameters["requestId"], None)
    # The browser's own first tab comes from the browser.
    outside = [url for url in asked.values() if not url.startswith(("file://", "data:", "chrome://"))]
    check(not outside, f"{what}: asks for {outside}")


def focused(browser):
    return browser.run("const a = document.activeElement; return a.getAttribute('aria-label') || a.id || a.tagName")


def column(browser, n):
    """The numbers of a score column, from the top; what is missing is null."""
    return browser.run("""
        const heads = [...document.querySelectorAll('#table thead th')];
        const at = heads.indexOf(document.querySelectorAll('#table .s-number')[arguments[0]]);
        return [...document.querySelectorAll('#table tbody tr')].map((r) => r.cells[at].dataset.v).map((v) => v === '' ? null : Number(v));
    """, n)


def demo(harness, folder):
    """The demo's run, with made-up maps if it has none."""
    run = folder / "runs" / "weights"
    subprocess.run([harness, "run", REPOSITORY / "experiments" / "weights.yaml", "--demo", "--out", run], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    if not (run / "maps.csv").exists():
        made_up.maps_for(run)
    return run


def report(harness, *run_dirs, cwd):
    began = time.monotonic()
    found = subprocess.run([harness, "report", *run_dirs], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True)
    page = Path(cwd) / found.stdout.strip()
    print(f"  {page.name} of {', '.join(Path(r).name for r in run_dirs)}: {page.stat().st_size / 1e3:.0f} kB in {time.monotonic() - began:.2f} s")
    return page


def plays_from_the_map(browser, page):
    browser.open(page)
    maps = browser.run("return JSON.parse(document.getElementById('maps').textContent)")
    items = browser.run("return JSON.parse(document.getElementById('items').textContent)")
    check(maps and len(items) == 12, "the demo has maps and 12 pieces")
    points = browser.run("return document.querySelectorAll('.point').length")
    check(points == len(maps["maps"][0]["points"]), "every point of the first map is drawn")
    for k in (0, 5):
        point = browser.find(f".point[data-k='{k}']")
        browser.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", point)
        browser.click(point)
        item = items[maps["maps"][0]["points"][k][4]]
        hears(browser, "/".join(item["src"][0].split("/")[-2:]), "click on a point")
        check(browser.run("return document.getElementById('live').textContent") == f"Playing {item['id']}", "what plays is announced")
        tip = browser.run("return document.getElementById('tip').innerText")
        check(item["id"] in tip and item["prompt"] in tip and item["scores"][0] in tip, f"the tooltip says what the point is: {tip!r}")
        check(browser.run("return document.querySelectorAll('.point.playing').length") >= 1, "the point that plays is marked")
    # By keyboard: an arrow moves to another point, Enter plays it. The way back would end on the point that plays, where
    # Enter pauses, so the first key that moves is the last.
    before = focused(browser)
    for key in ("Right", "Left", "Down", "Up"):
        browser.press(key)
        if focused(browser) != before:
            break
    check(focused(browser) != before and focused(browser).startswith("Play "), "arrow keys move between points")
    k = browser.run("return document.activeElement.dataset.k")
    browser.press("Enter")
    item = items[maps["maps"][0]["points"][int(k)][4]]
    hears(browser, "/".join(item["src"][0].split("/")[-2:]), "Enter on a point")
    if len(maps["maps"]) > 1:
        last = len(maps["maps"]) - 1
        browser.run("const c = document.getElementById('map-choice'); c.value = arguments[0]; c.dispatchEvent(new Event('change'))", str(last))
        check(browser.run("return document.querySelectorAll('.point').length") == len(maps["maps"][last]["points"]), "another map is drawn")
    first = browser.find("#legend button")
    before = browser.run("return document.querySelectorAll('.point:not([display])').length")
    browser.click(first)
    check(browser.run("return document.querySelectorAll('.point:not([display])').length") < before, "the legend hides a taste")
    check(browser.run("return arguments[0].getAttribute('aria-pressed')", first) == "false", "and says so")
    quiet(browser, "map")


def plays_from_the_keyboard(browser, page):
    browser.open(page)
    rows = "[...document.querySelectorAll('#table tbody tr')]"
    ids = browser.run(f"return {rows}.map((r) => r.querySelector('.id').innerText)")
    check(browser.run("return document.querySelectorAll('#table .play[tabindex=\"0\"]').length") == 1, "one play button is in the order of tabs")
    # From the last sort button a tab leads to the players.
    browser.run("[...document.querySelectorAll('.sort')].at(-1).focus()")
    browser.press("Tab")
    check(focused(browser) == f"Play {ids[0]}", f"Tab reaches the first player, not {focused(browser)}")
    browser.press("Space")
    hears(browser, f"audio/{ids[0]}.wav", "space")
    check(focused(browser) == f"Pause {ids[0]}", "the button says Pause while it plays")
    browser.press("Space")
    until(browser, "return document.getElementById('audio').paused", "space pauses")
    browser.press("Down", "Down")
    check(focused(browser) == f"Play {ids[2]}", "arrow keys move between the rows")
    browser.press("Up")
    check(focused(browser) == f"Play {ids[1]}", "and back")
    browser.press("Space")
    hears(browser, f"audio/{ids[1]}.wav", "space on another row")
    check(browser.run(f"return {rows}.filter((r) => r.classList.contains('playing')).length") == 1, "the row that plays is marked")
    browser.press("End")
    check(focused(browser) == f"Play {ids[-1]}", "End goes to the last row")
    browser.press("Home")
    check(focused(browser).endswith(ids[0]), "Home goes to the first row")
    browser.click("#next")
    hears(browser, f"audio/{ids[2]}.wav", "the next button")
    ring = browser.run("document.querySelector('.play[tabindex=\"0\"]').focus({focusVisible: true});"
                       "return getComputedStyle(document.activeElement).outlineStyle")
    check(ring == "solid", "the focus has a ring")
    quiet(browser, "keyboard")


def sorts_and_filters(browser, page):
    browser.open(page)
    columns = browser.run("return document.querySelectorAll('#table .s-number').length")
    for n in range(columns):
        for direction in ("descending", "ascending"):
            browser.run("document.querySelectorAll('#table .s-number .sort')[arguments[0]].click()", n)
            aria = browser.run("return [...document.querySelectorAll('#table th[aria-sort]')].map((h) => h.getAttribute('aria-sort'))")
            check(aria.count(direction) == 1 and aria.count("none") == len(aria) - 1, f"one column says {direction}: {aria}")
            values = [value for value in column(browser, n) if value is not None]
            check(values == sorted(values, reverse=direction == "descending"), f"column {n} is {direction}: {values}")
    everything = browser.run("return document.querySelectorAll('#table tbody tr').length")
    shown = "return [...document.querySelectorAll('#table tbody tr')].filter((r) => r.offsetParent).map((r) => r.querySelector('.id').innerText)"
    browser.type("#find", "SWEET")
    found = browser.run(shown)
    check(0 < len(found) < everything and all("sweet" in i for i in found), f"the filter leaves the sweet ones: {found}")
    check(browser.run("return document.getElementById('count').textContent") == f"{len(found)} of {everything} pieces", "and counts them")
    browser.type("#find", " nothing like it")
    check(browser.run(shown) == [] and browser.run("return !document.getElementById('none').hidden"), "nothing found is said")
    browser.click("#clear")
    check(len(browser.run(shown)) == everything, "all are back")
    browser.run("const t = document.getElementById('taste'); t.value = 'sour'; t.dispatchEvent(new Event('change'))")
    check(all("sour" in i for i in browser.run(shown)), "the taste filter works")
    stop = browser.run("return document.querySelector('.play[tabindex=\"0\"]').getAttribute('aria-label')")
    check("sour" in stop, "the order of tabs follows the filter")
    quiet(browser, "table")


def has_its_parts(browser, page):
    """Landmarks, names and links that work without sight and without the script."""
    browser.open(page)
    told = browser.run("""
        const named = (e) => e.getAttribute('aria-label') || (e.getAttribute('aria-labelledby') || '').split(' ')
            .map((id) => document.getElementById(id)?.textContent || '').join(' ').trim();
        const text = (e) => e.innerText.trim() || e.getAttribute('aria-label') || e.labels?.length;
        return {
            landmarks: ['header', 'nav', 'main', 'footer', '#player', '#live[aria-live]', '.skip'].filter((s) => !document.querySelector(s)),
            sections: [...document.querySelectorAll('section[id], [role=region], figure [role=img]')].filter((e) => !named(e)).map((e) => e.id || e.className),
            controls: [...document.querySelectorAll('button, a, select, input')].filter((e) => !text(e)).map((e) => e.outerHTML.slice(0, 80)),
            twice: [...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
            outside: [...document.querySelectorAll('[src], [href]')].map((e) => e.getAttribute('src') || e.getAttribute('href'))
                .filter((url) => /^([a-z]+:|\\/)/i.test(url)),
            links: [...document.querySelectorAll('a[href]')].map((e) => e.getAttribute('href')).filter((url) => !url.startsWith('#')),
            anchors: [...document.querySelectorAll('a[href^="#"]')].map((e) => e.hash.slice(1)).filter((id) => !document.getElementById(id)),
            levels: [...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1])),
            fonts: document.styleSheets[0].cssRules.length && [...document.styleSheets[0].cssRules].filter((r) => r instanceof CSSFontFaceRule).length,
            banner: document.querySelector('.banner')?.innerText || '',
            nan: /\\bNaN\\b|undefined|\\[object/.test(document.body.innerText),
        };
    """)
    for part in ("landmarks", "sections", "controls", "twice", "outside", "anchors"):
        check(not told[part], f"{part}: {told[part]}")
    check(told["levels"][0] == 1 and all(b - a < 2 for a, b in zip(told["levels"], told["levels"][1:])), f"headings: {told['levels']}")
    check(told["fonts"] == 2 and not told["nan"], "two faces of the font, and no NaN")
    for link in told["links"]:
        target = page.parent / Path(*[part for part in browser.run("return decodeURIComponent(arguments[0])", link).split("/")])
        check(target.is_file(), f"the link {link} leads nowhere")
    check("mean nothing" in told["banner"], "the demo's banner says that its numbers mean nothing")
    quiet(browser, "parts")


def holds_hostile_texts(browser, page):
    browser.open(page)
    time.sleep(0.3)
    check(browser.run("return window.hacked === undefined"), "a stranger's text ran as a script")
    check(browser.run("return document.querySelectorAll('script:not([type])').length") == 1, "one script, ours")
    check(browser.run("return document.querySelectorAll('img, iframe, b[onclick], image').length") == 0, "no element came from a text")
    ids = browser.run("return JSON.parse(document.getElementById('items').textContent).map((i) => i.id)")
    check(ids[0] == made_up.HOSTILE[0] and ids[5] == made_up.HOSTILE[5], "texts are as they were")
    check(browser.run("return getComputedStyle(document.body).display") == "block", "a figure's style stays out")
    for k in (0, 1, 3, 4, 5, 7, 8):
        browser.run("document.querySelectorAll('#table tbody .play')[arguments[0]].click()", k)
        address = browser.run("return JSON.parse(document.getElementById('items').textContent)[arguments[0]].src[0]", k)
        hears(browser, browser.run("return decodeURIComponent(arguments[0])", address), f"hostile piece {k}")
    missing = browser.run("return document.querySelectorAll('#table .play[aria-disabled=true]').length")
    check(missing == 1, "the piece without a sound has no player")
    browser.run("document.querySelectorAll('.point').forEach((p) => { p.dispatchEvent(new Event('pointerover', {bubbles: true})); p.focus(); })")
    check(browser.run("return window.hacked === undefined"), "nor in a tooltip")
    # The policy holds even against what the page itself would do.
    asked = browser.run("const i = new Image(); i.src = 'http://example.invalid/'; const s = document.createElement('script');"
                        "s.textContent = 'window.hacked = 9'; document.body.append(s); return window.hacked === undefined")
    check(asked, "the policy forbids other scripts")
    time.sleep(0.2)
    refused = [entry["message"] for entry in browser.log("browser")]
    check(refused and all("Content Security Policy" in entry for entry in refused), f"only the policy speaks: {refused}")
    quiet(browser, "hostile")


def plays_two_sets(browser, page):
    browser.open(page)
    browser.run("document.querySelector('#table .play').focus()")
    browser.press("Space")
    hears(browser, "before/1.wav", "the first set")
    browser.press("Right", "Space")
    hears(browser, "after/1.wav", "the second set, by the right arrow")
    a, b, d = column(browser, 0), column(browser, 1), column(browser, 2)
    check(all(abs(abs(x - y) - abs(z)) < 1e-9 for x, y, z in zip(a, b, d)), "the difference is the difference")
    quiet(browser, "sets")


def reads_texts(browser, page):
    browser.open(page)
    browser.run("document.querySelector('.point').scrollIntoView({block: 'center', behavior: 'instant'})")
    browser.run("document.querySelector('.point[data-k=\"3\"]').focus()")
    browser.press("Enter")
    tip = browser.run("return document.getElementById('tip').innerText")
    check("the 3th" in tip, f"a caption's point shows the caption: {tip!r}")
    check(browser.run("return document.getElementById('live').textContent") in tip.replace("\n", " "), "and a screen reader hears it")
    check(browser.run("return document.querySelectorAll('#nearest tbody tr').length") == 10, "ten nearest texts")
    quiet(browser, "texts")


def looks_right(browser, pages, folder):
    """Nothing is wider than the screen, light and dark differ; screenshots for people."""
    for name, page in pages.items():
        for look, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 360), ("phone-dark", "dark", 320)):
            browser.prefer(scheme)
            browser.size_to(width, 800)
            browser.open(page)
            wide = browser.run("return document.documentElement.scrollWidth")
            check(wide <= width, f"{name} is {wide} px wide on a screen of {width}")
            paper = browser.run("return getComputedStyle(document.body).backgroundColor")
            check((paper == "rgb(255, 255, 255)") == (scheme == "light"), f"{name}, {look}: the paper is {paper}")
            browser.save(folder / f"{name}-{look}.png")
        browser.click("#theme")
        check(browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "the button turns on the light")
        browser.run("localStorage.clear()")
    browser.size_to(1280, 900)
    browser.prefer("light")
    quiet(browser, "looks")


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    harness = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="report-check-") as scratch:
        folder = Path(scratch)
        shots = Path(sys.argv[2]) if len(sys.argv) == 3 else folder / "screenshots"
        shots.mkdir(parents=True, exist_ok=True)
        weights = demo(harness, folder)
        for make in (made_up.hostile, made_up.compare, made_up.texts):
            make(folder / make.__name__)
        print("pages:")
        pages = {"demo": report(harness, weights, cwd=folder)}
        for name in ("hostile", "compare", "texts"):
            pages[name] = report(harness, folder / name, cwd=folder)
        made = weights.parent / "gen_spanio_base"
        if made.is_dir():
            pages["several"] = report(harness, weights, made, cwd=folder)
        checks = [(plays_from_the_map, "demo"), (plays_from_the_keyboard, "demo"), (sorts_and_filters, "demo"), (has_its_parts, "demo"),
                  (holds_hostile_texts, "hostile"), (plays_two_sets, "compare"), (reads_texts, "texts")]
        failed = 0
        with Browser() as browser:
            tasks = [(name.__name__, lambda n=name, p=page: n(browser, pages[p])) for name, page in checks]
            tasks.append(("looks_right", lambda: looks_right(browser, pages, shots)))
            for name, task in tasks:
                try:
                    task()
                    print(f"ok      {name}")
                except (Wrong, Refused) as wrong:
                    failed += 1
                    print(f"FAILED  {name}: {wrong}")
                    # The next check starts clean.
                    browser.log("browser"), browser.log("performance")
        if shots.parent != folder:
            print(f"screenshots: {os.path.relpath(shots)}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
