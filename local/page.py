"""One page to look at what the demo left: the pictures, and the messages about as Slack and a mail program show them."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d1c1d; }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; } img { max-height: 260px; border-radius: 4px; }
figcaption, .context { color: #616061; font-size: 13px; }
.slack { border: 1px solid #ddd; border-radius: 6px; padding: .6rem 1rem; margin: 1rem 0; max-width: 40rem; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem 1rem; margin: .5rem 0; }
.slack div { overflow-wrap: anywhere; white-space: pre-line; } .slack .fields { white-space: normal; }
pre { background: #f6f6f6; border-radius: 6px; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; } hr { border: 0; border-top: 1px solid #ddd; }
"""
REPORT = "report.html"
EMOJI = {":large_green_circle:": "🟢", ":warning:": "⚠️", ":rotating_light:": "🚨"}


def write(folder: Path) -> Path:
    """Write `index.html` into the folder, about the files that are in it."""
    parts = ["<h1>What the demo left</h1>"]
    if (folder / REPORT).exists():
        parts.append(f'<p><a href="{REPORT}">The report of the month</a></p>')
    # The source, which has a name and no size, comes first; then the largest.
    if pictures := sorted(
        (folder / "pictures").glob("*"), key=lambda file: -int(file.stem) if file.stem.isdecimal() else -(10**9)
    ):
        parts.append("<h2>image_resize: the upload and its derivatives</h2>")
        parts += [
            f'<figure><img src="pictures/{html.escape(file.name)}" alt="{html.escape(file.stem)}"><figcaption>{html.escape(file.name)}, '
            f"{file.stat().st_size:,} bytes</figcaption></figure>"
            for file in pictures
        ]
    for title, pattern, show in (
        ("Slack", "*-slack*.json", _slack_file),
        ("Mail", "*-mail*.txt", _text_file),
        ("Webhook", "*-webhook*.json", _text_file),
    ):
        for file in sorted(folder.glob(pattern)):
            parts.append(f"<h2>{title}: {html.escape(file.stem)}</h2>{show(file)}")
    page = folder / "index.html"
    page.write_text(f"<!doctype html><meta charset='utf-8'><title>Demo</title><style>{STYLE}</style>{''.join(parts)}")
    return page


def _text_file(file: Path) -> str:
    return f"<pre>{html.escape(file.read_text())}</pre>"


def _slack_file(file: Path) -> str:
    return slack(json.loads(file.read_text()))


def slack(message: dict[str, Any]) -> str:
    """HTML that shows a message of Block Kit about as Slack does, with the classes of `STYLE`."""
    return f'<div class="slack">{"".join(map(_block, message["blocks"]))}</div>'


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "divider":
            return "<hr>"
        case "context":
            return f'<div class="context">{"".join(_markdown(item["text"]) for item in block["elements"])}</div>'
        case _ if "fields" in block:
            fields = "".join(f"<div>{_markdown(item['text'])}</div>" for item in block["fields"])
            return f'<div class="fields">{fields}</div>'
        case _ if "text" in block:
            return f"<div>{_markdown(block['text']['text'])}</div>"
        case _:  # ours are none of these; somebody else's may be
            return f"<div>{html.escape(json.dumps(block, ensure_ascii=False))}</div>"


def _markdown(text: str) -> str:
    """Slack's own markup: bold and links. Its text escapes `&<>` already; what it leaves is escaped here."""
    safe = html.escape(html.unescape(re.sub(r"<(https?://[^|>]+)\|([^>]*)>", "\x00\\1\x01\\2\x02", text)))
    safe = re.sub("\x00([^\x01]*)\x01([^\x02]*)\x02", r'<a href="\1">\2</a>', safe)
    for code, symbol in EMOJI.items():
        safe = safe.replace(code, symbol)
    return re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"<b>\1</b>", safe)
