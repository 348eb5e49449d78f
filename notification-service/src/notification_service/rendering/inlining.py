"""Puts the rules of a layout's style sheet on its elements, once, before the layout is compiled.

Mail programs ignore style sheets, and doing it for each e-mail would cost more than all the rest of it.
"""

import re

import css_inline

_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_MARK = re.compile(r"<!--jinja:(\d+)-->|jinja-(\d+)-jinja")


def inline_layout(source: str) -> str:
    """Return the Jinja source with its CSS inlined and the ``style`` element gone.

    An HTML parser would move loops out of tables and escape expressions, so it sees marks in their place:
    comments, which may stand anywhere, for what is between elements, and words for values.
    """
    parts: list[str] = []

    def hide(match: re.Match[str]) -> str:
        parts.append(match.group())
        number = len(parts) - 1
        return f"jinja-{number}-jinja" if match.group().startswith("{{") else f"<!--jinja:{number}-->"

    def show(match: re.Match[str]) -> str:
        return parts[int(match.group(1) or match.group(2))]

    inlined = css_inline.inline(_JINJA.sub(hide, source), load_remote_stylesheets=False)
    return _MARK.sub(show, inlined)
