"""Writes a message as a page of HTML that shows the same as its text, and loads nothing."""

from __future__ import annotations

import html

from yakei.notifiers.links import links_in
from yakei.results import Severity

_COLOURS = {Severity.CRITICAL: "#d32f2f", Severity.WARNING: "#f9a825"}
"""Of the bar; they stand out from white and from black."""


def page(subject: str, text: str, severity: Severity) -> str:
    """Return the page; all styles are inline, and colours of text and ground are the reader's own.

    So that it is as legible in a dark mailbox as in a light one.
    """
    bar = f"border-left:6px solid {_COLOURS[severity]};padding-left:12px"
    mono = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;line-height:1.4"
    return (
        "<!DOCTYPE html>\n"
        '<html><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"></head>\n'
        f'<body><div style="{bar}">\n'
        f'<p style="font-family:sans-serif;font-size:16px;font-weight:bold">{_escaped(subject)}</p>'
        f'\n<pre style="{mono};white-space:pre-wrap;overflow-wrap:anywhere">{_linked(text)}</pre>\n'
        "</div></body></html>\n"
    )


def _linked(text: str) -> str:
    """Return the text escaped, with its web addresses as links that show where they lead."""
    parts, end = [], 0
    for start, address in links_in(text):
        parts.append(_escaped(text[end:start]))
        parts.append(f'<a href="{_escaped(address)}">{_escaped(address)}</a>')
        end = start + len(address)
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return html.escape(text)
