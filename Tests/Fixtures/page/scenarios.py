"""What a reader does with the pages, done in a real browser: `python3 scenarios.py NAME BASE [ARGUMENT...]`.

BASE is the address of the report with a slash at its end, on disk (file://) or served. Exit status 0: all as it should be; else the
last line of standard error says what was not.
"""
import json
import sys

from browser import Browser, Failure, Page


def check(condition, what):
    if not condition:
        raise Failure(what)


def every_page(browser, base, *paths):
    """Each page loads in light and dark, wide and narrow, without a complaint, a request beyond the report, or a sideways scroll."""
    page = Page(browser)
    for path in paths:
        for width, dark in ((1280, False), (360, True)):
            page.resize(width, 800)
            page.media("prefers-color-scheme", "dark" if dark else "light")
            page.open(base + path)
            page.quiet(base)
            facts = page.js("""(() => {
                const ids = Array.from(document.querySelectorAll('[id]'), e => e.id);
                const levels = Array.from(document.querySelectorAll('h1,h2,h3,h4,h5,h6'), e => Number(e.tagName[1]));
                const named = e => e.getAttribute('aria-label') || (e.labels && e.labels.length) || e.textContent.trim();
                return {
                  twice: ids.filter((id, i) => ids.indexOf(id) !== i).slice(0, 3),
                  skipped: levels.filter((level, i) => i && level > levels[i - 1] + 1).length,
                  h1: levels.filter(level => level === 1).length, main: document.querySelectorAll('main').length,
                  nav: document.querySelectorAll('nav[aria-label]').length,
                  unnamed: Array.from(document.querySelectorAll('input, select, button, a[href]'))
                    .filter(e => !named(e)).length,
                  unscoped: document.querySelectorAll('th:not([scope])').length,
                  pictures: document.querySelectorAll('img:not([alt])').length,
                  broken: Array.from(document.images).filter(i => i.complete && !i.naturalWidth).length,
                  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
                  dead: Array.from(document.querySelectorAll('a[href^="#"]'))
                    .filter(a => !document.getElementById(a.getAttribute('href').slice(1))
                      && !a.getAttribute('href').includes('=')).map(a => a.getAttribute('href')).slice(0, 3),
                  lang: document.documentElement.lang,
                };
            })()""")
            expected = dict(twice=[], skipped=0, h1=1, main=1, unnamed=0, unscoped=0, pictures=0, broken=0, dead=[],
                            lang="en")
            for name, value in expected.items():
                check(facts[name] == value, f"{path} at {width} px: {name} is {facts[name]}, not {value}")
            check(facts["nav"] >= 1, f"{path}: no named navigation")
            check(facts["wide"] <= 0, f"{path} at {width} px scrolls sideways by {facts['wide']} px")
            contrast(page, f"{path}, {'dark' if dark else 'light'}")


def contrast(page, place):
    """Text against its ground: WCAG 2.2, 1.4.3, 4.5 to 1, and 3 to 1 where it is large."""
    poor = page.js("""(() => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const cache = {};
        const rgba = text => cache[text] || (cache[text] = (() => {
          canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
          const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; })());
        const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
        const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
          return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
        const ground = e => { const layers = []; for (; e; e = e.parentElement) {
            const c = rgba(getComputedStyle(e).backgroundColor); if (c[3]) layers.push(c); if (c[3] === 1) break; }
          return layers.reverse().reduce((below, c) => over(c, below), [255, 255, 255, 1]); };
        const poor = [];
        const seen = new Set();
        for (const e of document.body.querySelectorAll('*')) {
          if (e.closest('svg, [hidden]') || !Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim())) continue;
          const style = getComputedStyle(e);
          if (style.visibility === 'hidden' || !e.getClientRects().length || e.disabled) continue;
          const key = e.tagName + e.className + (e.parentElement && e.parentElement.className);
          if (seen.has(key)) continue; seen.add(key);
          const below = ground(e), text = over(rgba(style.color), below);
          const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
          const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
          const ratio = (a + .05) / (b + .05);
          if (ratio < (large ? 3 : 4.5)) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} "${e.textContent.trim().slice(0, 30)}"`);
        }
        return poor.slice(0, 4);
    })()""")
    check(not poor, f"{place}: too little contrast: {poor}")


ROWS = "Array.from(document.querySelectorAll('table.data tbody tr'), r => Array.from(r.cells, c => c.textContent))"


def tables(browser, base):
    """Sorting in both directions and back, by mouse and keyboard; search and choices; both in the address, and read from it."""
    page = Page(browser)
    page.open(base + "runs.html")
    original = page.js(ROWS)
    column = page.js("Array.from(document.querySelectorAll('table.data thead th'), h => h.dataset.key)").index("dice")
    head = f"table.data thead th:nth-child({column + 1})"

    def values():
        return [row[column] for row in page.js(ROWS)]

    def sorted_state():
        return page.js(f"document.querySelector('{head}').getAttribute('aria-sort')")

    page.click(head + " button")
    numbers = [float(v) for v in values() if v != "–"]
    check(numbers == sorted(numbers, reverse=True) and len(numbers) > 3, f"not descending: {numbers}")
    check(values()[-1] == "–" or "–" not in values(), "what is missing comes last")
    check(sorted_state() == "descending", "aria-sort says descending")
    check("sort=-dice" in page.js("location.hash"), "the order is in the address")
    page.js(f"document.querySelector('{head} button').focus()")
    page.key("Enter")
    numbers = [float(v) for v in values() if v != "–"]
    check(numbers == sorted(numbers), f"not ascending by the keyboard: {numbers}")
    check(values()[-1] == "–" or "–" not in values(), "what is missing comes last in both directions")
    check(sorted_state() == "ascending", "aria-sort says ascending")
    page.key("Enter")
    check(page.js(ROWS) == original and sorted_state() is None, "the third time gives the first order back")

    model = original[2][1]
    page.js("document.querySelector('.filters input').focus()")
    page.type(model)
    rows = page.js(ROWS)
    check(rows and all(model in " ".join(row) for row in rows) and len(rows) < len(original), "the search filters")
    count = page.js("document.querySelector('.filters output').textContent")
    check(count == f"{len(rows)} of {len(original)} rows", f"the count says {count}")
    page.js("""(() => { const s = Array.from(document.querySelectorAll('.filters select'))
        .find(s => Array.from(s.options, o => o.value).includes('runs'));
        s.value = 'runs'; s.dispatchEvent(new Event('change')); })()""")
    both = page.js(ROWS)
    check(all("runs" in row for row in both), "the choice filters too")
    address = page.js("location.href")
    check("q=" + model in address and "f.outcome=runs" in address, f"the filters are in the address: {address}")
    other = Page(browser)
    other.open(address)
    check(other.js(ROWS) == both, "the address brings the same rows back")
    check(other.js("document.querySelector('.filters input').value") == model, "and the search field says so")
    page.click(".filters button")
    check(page.js(ROWS) == original, "clearing shows all rows")
    page.quiet(base)
    other.quiet(base)


def without_script(browser, base, run):
    """Everything that matters is there without script: rows, code, values of marks, images."""
    page = Page(browser, script=False)
    page.open(base + "runs.html")
    document = page.send("DOM.getDocument", depth=-1)["root"]
    text = json.dumps(document)
    check(text.count('"TR"') > 5, "the rows are there")
    page.shoot("/dev/null")
    page.open(base + run)
    text = json.dumps(page.send("DOM.getDocument", depth=-1)["root"])
    for part in ("truth", "BatchNorm2d", "median", "round-0"):
        check(part in text, f"'{part}' is on the page without script")
    page.quiet(base)


def conversation(browser, base, run, line):
    """The diff, the marked error, and addresses of run, round and line that open what is closed."""
    page = Page(browser)
    page.open(base + run)
    check(page.js("document.querySelectorAll('pre.diff del').length") > 0, "a diff shows what was removed")
    check(page.js("document.querySelectorAll('pre.diff ins').length") > 0, "and what was added")
    check(page.js("document.querySelectorAll('pre.diff b').length") > 0, "and the words inside a line")
    check(page.js("document.querySelectorAll('.code .k').length") > 10, "keywords are told apart")
    fault = page.js("""(() => { const e = document.querySelector('.l.here'); return e && [e.id,
        e.nextElementSibling.className, e.closest('details').open]; })()""")
    check(fault and fault[1] == "fault" and fault[2], f"the error is marked at its line, in an open file: {fault}")
    link = page.js(f"Boolean(document.querySelector('p.error a[href=\"#{fault[0]}\"]'))")
    check(link, "the error leads to its line")
    page.open(base + run + "#" + line)
    page.until(lambda: page.js(f"""(() => {{ const e = document.getElementById('{line}');
        const r = e.getBoundingClientRect();
        return e.closest('details').open && r.top >= 0 && r.bottom <= innerHeight; }})()"""), "the line to be in sight")
    check(page.js("document.activeElement.id") == line, "and to have the focus")
    page.open(base + run + "#round-1")
    page.until(lambda: page.js("""(() => { const r = document.getElementById('round-1').getBoundingClientRect();
        const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
        return r.top >= -2 && r.top < (end ? innerHeight : innerHeight / 2); })()"""), "round 1 to be in sight")
    page.quiet(base)


def overlay(browser, base, run):
    """The slider by keyboard changes how much of the masks is seen; the choice hides one of them."""
    page = Page(browser)
    page.open(base + run)
    page.js("document.getElementById('mask-opacity').focus()")
    def opacity():
        return float(page.js("getComputedStyle(document.querySelector('.layer.prediction')).opacity"))
    check(abs(opacity() - 0.5) < 0.01, f"begins at one half: {opacity()}")
    page.key("End")
    check(opacity() == 1, "End shows the masks alone")
    check(page.js("document.getElementById('mask-opacity').getAttribute('aria-valuetext')") == "100 %", "and says so")
    page.key("Home")
    check(opacity() == 0, "Home shows the image alone")
    page.key("ArrowRight")
    check(abs(opacity() - 0.05) < 0.001, "an arrow moves by a step")
    page.click("[name=mask-shown][value=truth]")
    hidden = page.js("getComputedStyle(document.querySelector('.layer.prediction')).visibility")
    check(hidden == "hidden", "the prediction can be hidden")
    page.js("document.querySelector('.gallery').scrollIntoView()")
    page.until(lambda: page.js("""Array.from(document.querySelectorAll('.overlay img')).slice(0, 3)
        .every(i => i.complete && i.naturalWidth > 0)"""), "image, truth and prediction")
    differs = page.js("""(async () => { const read = async s => { const i = document.querySelector(s); await i.decode();
        return [i.naturalWidth, i.naturalHeight].join(); };
        return (await read('.base')) === (await read('.layer.truth')) &&
          (await read('.base')) === (await read('.layer.prediction')); })()""")
    check(differs, "the three lie on one grid")
    page.quiet(base)


def figures(browser, base):
    """Values under the pointer and under the keyboard."""
    page = Page(browser)
    page.open(base + "figures.html")
    check(page.js("document.querySelectorAll('svg.marks rect').length") > 10, "figures have marks")
    page.hover("svg.marks rect:nth-of-type(2)")
    label = page.js("document.querySelectorAll('svg.marks rect')[1].getAttribute('aria-label')")
    page.until(lambda: page.js("(document.querySelector('.tip') || {}).textContent") == label, "the value of the mark")
    check(any(c.isdigit() for c in label), f"the label has a value: {label}")
    page.js("document.querySelector('svg.marks rect').focus()")
    page.key("ArrowRight")
    page.key("ArrowRight")
    third = page.js("document.querySelectorAll('svg.marks rect')[2].getAttribute('aria-label')")
    check(page.js("document.activeElement.getAttribute('aria-label')") == third, "arrows move from mark to mark")
    check(page.js("document.querySelector('.tip').textContent") == third, "and show its value")
    page.key("Escape")
    check(page.js("document.querySelector('.tip').hidden"), "Escape takes the tip away")
    check(page.js("document.querySelectorAll('svg.marks')[0].querySelectorAll('[tabindex=\"0\"]').length") == 1,
          "a figure is one stop of the tab key")
    page.quiet(base)


def keyboard(browser, base):
    """The first tab stop skips the navigation; every stop shows where it is."""
    page = Page(browser)
    page.open(base + "index.html")
    page.key("Tab")
    check(page.js("document.activeElement.className") == "skip", "the first stop skips to the content")
    page.key("Enter")
    page.until(lambda: page.js("document.activeElement.id") == "main", "the content to have the focus")
    page.open(base + "runs.html")
    stops = []
    for _ in range(40):
        page.key("Tab")
        stops.append(page.js("""(() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0]; })()"""))
    check(all(visible for _, visible in stops), f"a stop without visible focus: {stops}")
    check({"A", "INPUT", "SELECT", "BUTTON"} <= {tag for tag, _ in stops}, f"links, fields and buttons: {stops}")
    page.media("prefers-reduced-motion", "no-preference")
    check(page.js("getComputedStyle(document.documentElement).scrollBehavior") == "smooth", "motion is allowed here")
    page.media("prefers-reduced-motion", "reduce")
    check(page.js("getComputedStyle(document.documentElement).scrollBehavior") == "auto", "no motion where none is wanted")
    page.quiet(base)


def hostile(browser, base, *paths):
    """Nothing that a model wrote became an element, an attribute or an action."""
    page = Page(browser)
    for path in paths:
        page.open(base + path, timeout=60)
        page.js("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.js("document.querySelectorAll('[tabindex], input, a').forEach(e => e.focus())")
        page.browser.pump(0.3)
        facts = page.js("""({ pwned: String(window.pwned), scripts: document.scripts.length,
            foreign: document.querySelectorAll('iframe, textarea, base, object, embed, style, link[href*="example"],'
              + 'meta[http-equiv=refresh], a[href^="javascript"], img[src="x"]').length,
            handlers: Array.from(document.querySelectorAll('*')).filter(e =>
              Array.from(e.attributes).some(a => /^on/i.test(a.name) || a.name === 'style' && !e.closest('.gallery, .tip, table'))).length,
            mains: document.querySelectorAll('main').length, footer: document.body.lastElementChild.tagName,
            title: document.title })""")
        expected = dict(pwned="undefined", scripts=1, foreign=0, handlers=0, mains=1)
        for name, value in expected.items():
            check(facts[name] == value, f"{path}: {name} is {facts[name]}, not {value}")
        page.quiet(base)


def live(browser, base, flag, done):
    """A followed page takes up what the store says, and keeps filter, order, scroll, open parts and focus."""
    page = Page(browser, height=500)
    page.open(base + "runs.html#q=aspen&sort=-replies")
    run = page.js("document.querySelector('table.data tbody a').href")
    before = page.js(ROWS)
    check(before, "the filter finds runs")
    conversation = Page(browser, height=500)
    conversation.open(run)
    rounds = conversation.js("document.querySelectorAll('#round-list > section').length")
    conversation.js("document.querySelector('#round-0-reply').open = true")
    conversation.js("document.querySelector('#round-0').scrollIntoView({behavior: 'instant'})")
    conversation.js("document.querySelector('#round-0-reply summary').focus({preventScroll: true})")
    place = "document.querySelector('#round-0').getBoundingClientRect().top"
    top = conversation.js(place)
    page.js("document.querySelector('.filters input').focus()")
    page.browser.pump(0.5)
    open(flag, "w").close()
    page.until(lambda: len(page.js(ROWS)) > len(before), "the new run to appear", 30)
    rows = page.js(ROWS)
    check(all("aspen" in " ".join(row) for row in rows), "the filter holds")
    replies = [int(row[6]) for row in rows]
    check(replies == sorted(replies, reverse=True), f"the order holds: {replies}")
    check(page.js("document.activeElement.type") == "search", "the focus holds")
    check("updated" in page.js("document.getElementById('live-status').textContent"), "the page says that it was updated")
    conversation.until(
        lambda: conversation.js("document.querySelectorAll('#round-list > section').length") == rounds + 1,
        "the new round to appear", 30)
    check(conversation.js("document.querySelector('#round-0-reply').open"), "what was open stays open")
    check(conversation.js("document.activeElement.parentElement.id") == "round-0-reply", "the focus stays")
    check(abs(conversation.js(place) - top) < 2, f"the place stays: {conversation.js(place)}, not {top}")
    open(done, "w").close()
    page.until(lambda: "Not connected" in page.js("document.getElementById('live-status').textContent"),
               "the page to say that the server has ended", 40)
    # What the browser logs of a refused connection is the very thing that was made to happen, and happens again at each retry.
    for tab in (page, conversation):
        tab.quiet(base, expected=("ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE"))


def long_table(browser, base):
    """Rows of a long table follow as they are scrolled to, stand below their headings, and are a table to a screen reader, too."""
    page = Page(browser)
    # Before the page's own script takes the rows over, there are 400 of them at least.
    page.send("Page.addScriptToEvaluateOnNewDocument", source="""document.addEventListener('DOMContentLoaded', () => {
        const body = document.querySelector('table.data tbody'), rows = Array.from(body.rows);
        for (let i = rows.length; i < 400; i += 1) body.append(rows[i % rows.length].cloneNode(true));
        window.total = body.rows.length; });""")
    page.open(base + "runs.html")
    total = page.js("window.total")
    count = "document.querySelector('table.data tbody').rows.length"
    check(page.js(count) == 100, f"{page.js(count)} rows are laid out at first, not 100")
    places = """Array.from(document.querySelectorAll('table.data tr'), r => Array.from(r.cells, c =>
        Math.round(c.getBoundingClientRect().left)))"""

    def all_came():
        page.js("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        page.browser.pump(0.05)
        return page.js(count) == total

    page.until(all_came, f"all {total} rows to come by scrolling", 60)
    columns = page.js(places)
    check(all(row == columns[0] for row in columns), "cells stand below their headings")
    roles = page.js("""(() => { const t = document.querySelector('table.data'), n = r => t.querySelectorAll(`[role=${r}]`).length;
        return [t.getAttribute('role'), n('row'), n('columnheader') === t.rows[0].cells.length,
          n('cell') + n('rowheader') + n('columnheader') === Array.from(t.rows).reduce((s, r) => s + r.cells.length, 0)]; })()""")
    check(roles == ["table", total + 1, True, True], f"roles: {roles}")
    wide = page.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    check(wide <= 0, f"the page scrolls sideways by {wide} px")
    page.js("scrollTo(0, 0)")
    page.click("table.data thead th:nth-child(2) button")
    names = [row[1] for row in page.js(ROWS)]
    check(len(names) == 100 and names == sorted(names), "all rows are sorted, and 100 are laid out again")
    columns = page.js(places)
    check(all(row == columns[0] for row in columns), "sorted cells stand below their headings")
    page.resize(700, 800)
    page.until(lambda: all(row == page.js(places)[0] for row in page.js(places)), "cells to stand below their headings in a narrower window")
    page.send("Emulation.setEmulatedMedia", media="print")
    display = page.js("getComputedStyle(document.querySelector('table.data tbody tr')).display")
    check(display == "table-row", f"on paper a row is a {display}")


def measure(browser, base, *paths):
    """Not a test: how long pages take, as one JSON object a line. `busy_ms` is the time that the page's thread computed until it
    stood, and `frame_busy_ms` for one frame of scrolling, whatever else the machine does; the others are by the clock."""
    for path in paths:
        times = []
        for _ in range(5):
            page = Page(browser)
            page.send("Performance.enable", timeDomain="threadTicks")
            page.open(base + path, timeout=120)
            page.js("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
            spent = {m["name"]: m["value"] for m in page.send("Performance.getMetrics")["metrics"]}
            timing = page.js("""(() => { const n = performance.getEntriesByType('navigation')[0];
                const p = performance.getEntriesByName('first-contentful-paint')[0];
                return { load: n.loadEventEnd, paint: p ? p.startTime : 0,
                  elements: document.querySelectorAll('*').length }; })()""")
            timing["busy"] = spent["TaskDuration"] * 1000
            times.append(timing)
        scroll = page.js("""(async () => { const frames = []; let last = performance.now();
            for (let i = 0; i < 120; i += 1) { scrollBy({ top: 240, behavior: 'instant' });
              await new Promise(r => requestAnimationFrame(r));
              const now = performance.now(); frames.push(now - last); last = now; }
            frames.sort((a, b) => a - b);
            return { median: frames[60], p95: frames[114], longest: frames[119], height: document.body.scrollHeight }; })()""")
        # Once more from the top, frame by frame: what the page's thread computes for each, whatever else the machine does.
        page.open(base + path, timeout=120)
        busy_frames, before = [], None
        for _ in range(120):
            page.js("""(async () => { scrollBy({ top: 240, behavior: 'instant' });
                await new Promise(r => requestAnimationFrame(() => setTimeout(r))); })()""")
            now = {m["name"]: m["value"] for m in page.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
            if before is not None:
                busy_frames.append((now - before) * 1000)
            before = now
        busy_frames.sort()
        middle = sorted(times, key=lambda t: t["load"])[2]
        sort = page.js("""(async () => { const b = document.querySelector('button.sort'); if (!b) return null;
            const start = performance.now(); b.click(); document.body.offsetHeight; return performance.now() - start; })()""")
        search = page.js("""(() => { const f = document.querySelector('.filters input'); if (!f) return null;
            const start = performance.now(); f.value = 'runs'; f.dispatchEvent(new Event('input'));
            document.body.offsetHeight; return performance.now() - start; })()""")
        busy = sorted(t["busy"] for t in times)[2]
        print(json.dumps(dict(page=path, load_ms=round(middle["load"]), busy_ms=round(busy), first_paint_ms=round(middle["paint"]),
                              elements=middle["elements"], frame_ms_median=round(scroll["median"], 1),
                              frame_ms_p95=round(scroll["p95"], 1), frame_ms_longest=round(scroll["longest"], 1),
                              frame_busy_ms_median=round(busy_frames[60], 1), frame_busy_ms_p95=round(busy_frames[113], 1),
                              frame_busy_ms_longest=round(busy_frames[-1], 1),
                              sort_ms=sort and round(sort), search_ms=search and round(search))))


def shoot(browser, base, folder, *paths):
    """Not a test: pictures of pages, wide and narrow, light and dark."""
    for path in paths:
        for width in (1280, 360):
            for dark in (False, True):
                page = Page(browser, width=width, dark=dark)
                page.open(base + path)
                page.js("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
                page.browser.pump(0.4)
                name = path.split("#")[0].replace("/", "-").replace(".html", "")
                page.shoot(f"{folder}/{name}-{width}-{'dark' if dark else 'light'}.png")


def main():
    name, arguments = sys.argv[1], sys.argv[2:]
    try:
        with Browser() as browser:
            globals()[name](browser, *arguments)
    except Failure as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        sys.exit(1)


main()
