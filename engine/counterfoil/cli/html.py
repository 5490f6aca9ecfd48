"""Pages that commands write: one file, no script, nothing loaded from anywhere; values stand in it as text."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .25rem .6rem; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.off td { background: #f2641922; }
.fine { color: #2a7f3f; } .bad { color: #c0392b; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
code { font-size: .93em; }
"""


def whole_page(title: str, body: str) -> str:
    """A page around a body that is markup already; the title is text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def html_table(heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]], off: Iterable[int] = ()) -> str:
    """A table under a heading; columns whose names begin with `>` are right-aligned, rows in `off` are marked."""
    right = [name.startswith(">") for name in columns]
    marked = set(off)

    def cell(tag: str, value: str, *, number: bool) -> str:
        kind = ' class="n"' if number else ""
        return f"<{tag}{kind}>{escape(value)}</{tag}>"

    head = "".join(
        cell("th", name.removeprefix(">"), number=number) for name, number in zip(columns, right, strict=True)
    )
    lines = []
    for place, row in enumerate(rows):
        cells = "".join(cell("td", value, number=number) for value, number in zip(row, right, strict=True))
        kind = ' class="off"' if place in marked else ""
        lines.append(f"<tr{kind}>{cells}</tr>")
    body = "\n".join(lines)
    return f"<h3>{escape(heading)}</h3>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
