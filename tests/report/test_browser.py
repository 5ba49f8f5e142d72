"""The page in a real browser, where one is installed: inert, and nothing wider than the screen."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from payloads import PAYLOADS
from test_inert import hostile

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


PROBE = """<body style="margin:0"><iframe id=f src="report.html" style="width:{width}px;height:900px;border:0"></iframe>
<script>
f.onload = () => {{
  const d = f.contentDocument, page = d.scrollingElement, wide = [];
  for (const e of d.body.querySelectorAll("*")) {{
    if (e.closest(".scroll")) continue;
    if (e.getBoundingClientRect().right > {width} + 0.5 && !e.ownerSVGElement) wide.push(e.tagName + "." + e.className);
  }}
  const texts = [...d.querySelectorAll("svg.plot")].flatMap(svg => ["across", "up"].map(kind => [...svg.querySelectorAll(
    "text." + kind)].filter(t => getComputedStyle(t).display != "none").map(t => t.getBoundingClientRect())));
  let crossed = 0, out = 0;
  for (const row of texts) row.forEach((a, i) => {{
    if (a.left < -0.5 || a.right > {width} + 0.5) out++;
    row.slice(i + 1).forEach(b => {{ if (a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3) crossed++; }});
  }});
  document.title = JSON.stringify({{scroll: page.scrollWidth, wide, crossed, out, texts: texts.flat().length}});
}};
</script>"""  # noqa: E501


@pytest.mark.parametrize(("width", "steps"), [(390, 96), (390, 672), (800, 672), (1110, 672), (1400, 96)])
def test_nothing_is_wider_than_the_screen_and_no_labels_overlap(tmp_path: Path, width: int, steps: int) -> None:
    import json

    from synthetic_result import make_result

    long = "Überlandwerk_mit_einem_sehr_langen_Namen_ohne_Leerzeichen_" * 3
    unmet = [
        {"feeder": long, "kind": "bus", "element": long, "limit": "v_max", "hours": 2.5, "amount": 0.01, "unit": "pu"}
    ]
    result = make_result(feeders=3, buses=20, steps=steps, title=long, unmet=unmet)
    (tmp_path / "report.html").write_text(render(result), encoding="utf-8")
    probe = tmp_path / "probe.html"
    probe.write_text(PROBE.format(width=width), encoding="utf-8")
    seen = dump(probe, tmp_path / "home", "--allow-file-access-from-files", f"--window-size={max(width, 500)},900")
    found = json.loads(re.search(r"<title>(.*?)</title>", seen)[1].replace("&quot;", '"'))
    assert found["texts"] > 50
    assert found | {"texts": 0} == {"scroll": width, "wide": [], "crossed": 0, "out": 0, "texts": 0}
