"""The page in a real browser, where one is installed: inert, and nothing wider than the screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from payloads import PAYLOADS
from synthetic_result import make_result
from test_inert import hostile
from test_utility_page import page as utility
from test_utility_page import row

from dispatch.report.html import render

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
]

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
    pytest.mark.slow,
]


def dump(page: Path, home: Path, *flags: str) -> str:
    """The document as it stands after the browser has run it."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={home}", *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_browser_runs_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    everything = " ".join(PAYLOADS)
    page, log = tmp_path / "report.html", tmp_path / "net.json"
    page.write_text(render(hostile(everything, feeders=1)), encoding="utf-8")
    seen = dump(page, tmp_path / "home", f"--log-net-log={log}")
    title = re.search(r"<title>(.*?)</title>", seen, re.DOTALL)
    assert title is not None
    assert title[1].startswith("&lt;script&gt;")
    assert "<script" not in seen.lower()
    # Every request that the page makes would bear its address or the payloads' port.
    assert "127.0.0.1:9" not in log.read_text(errors="replace")


PROBE = """<body style="margin:0">{frames}<script>
const measure = (frame, width) => {{
  const d = frame.contentDocument, wide = [];
  for (const e of d.body.querySelectorAll("*")) {{
    if (e.closest(".scroll") || e.ownerSVGElement) continue;
    if (e.getBoundingClientRect().right > width + 0.5) wide.push(e.tagName + "." + e.className);
  }}
  const rows = [...d.querySelectorAll("svg.plot")].flatMap(svg => ["across", "up"].map(kind =>
    [...svg.querySelectorAll("text." + kind)].filter(t => getComputedStyle(t).display != "none")
      .map(t => t.getBoundingClientRect())));
  let crossed = 0, out = 0;
  for (const row of rows) row.forEach((a, i) => {{
    if (a.left < -0.5 || a.right > width + 0.5) out++;
    for (const b of row.slice(i + 1))
      if (a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3) crossed++;
  }});
  return {{scroll: d.scrollingElement.scrollWidth - width, wide, crossed, out, texts: rows.flat().length}};
}};
onload = () => document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(f => measure(f, +f.width)));
</script>"""
FRAME = '<iframe src="{name}" width="{width}" height="900" style="border:0"></iframe>'
LONG = "Überlandwerk_mit_einem_sehr_langen_Namen_ohne_Leerzeichen_" * 3
UNMET = {"feeder": LONG, "kind": "bus", "element": LONG, "limit": "v_max", "hours": 2.5, "amount": 0.01, "unit": "pu"}


def measured(folder: Path, *frames: tuple[str, int]) -> list[dict[str, object]]:
    """What sticks out of the screen or overlaps, for each page and width."""
    probe = folder / "probe.html"
    content = "".join(FRAME.format(name=name, width=width) for name, width in frames)
    probe.write_text(PROBE.format(frames=content), encoding="utf-8")
    seen = dump(probe, folder / "home", "--allow-file-access-from-files", "--window-size=1500,900")
    title = re.search(r"<title>(.*?)</title>", seen)
    assert title is not None
    found: list[dict[str, object]] = json.loads(title[1].replace("&quot;", '"'))
    return found


def test_nothing_is_wider_than_the_screen_and_no_labels_overlap(tmp_path: Path) -> None:
    pages = {"day.html": 96, "week.html": 672}
    for name, steps in pages.items():
        text = render(make_result(feeders=3, buses=20, steps=steps, title=LONG, unmet=[UNMET]))
        (tmp_path / name).write_text(text, encoding="utf-8")
    broken = text.replace("<main>", '<main><div class="big" style="width:1600px">x</div>')
    (tmp_path / "broken.html").write_text(broken.replace("font-size: 12.5px", "font-size: 60px"), encoding="utf-8")
    frames = [(name, width) for name in pages for width in (390, 800, 1110, 1400)]
    *found, control = measured(tmp_path, *frames, ("broken.html", 390))
    fine = {"scroll": 0, "wide": [], "crossed": 0, "out": 0}
    for frame, one in zip(frames, found, strict=True):
        assert int(str(one.pop("texts"))) > 50
        assert (frame, one) == (frame, fine)
    # The same measure on a page that is broken on purpose.
    assert control["wide"] == ["DIV.big"]
    assert int(str(control["crossed"])) > 10


def test_the_page_over_a_utility_is_no_wider_than_the_screen(tmp_path: Path) -> None:
    rows = [row(1, name=LONG), row(2, name=LONG, status="invalid", says=LONG), row(3, status="limits_unmet")]
    (tmp_path / "utility.html").write_text(utility(rows), encoding="utf-8")
    (tmp_path / "bare.html").write_text(utility(rows).replace('class="scroll"', ""), encoding="utf-8")
    *found, control = measured(tmp_path, ("utility.html", 390), ("utility.html", 1400), ("bare.html", 390))
    assert [(one["scroll"], one["wide"]) for one in found] == [(0, [])] * 2
    assert "TABLE." in control["wide"]  # tables are wider, and scroll inside their cards
