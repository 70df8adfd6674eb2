"""What the static checks share: C files, and their text without comments and strings."""

import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(folders, endings):
    """Paths relative to the checkout, sorted."""
    found = []
    for folder in folders:
        for where, _, names in os.walk(os.path.join(TOP, folder)):
            found += [os.path.relpath(os.path.join(where, n), TOP) for n in names if n.endswith(endings)]
    return sorted(found)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, comments_only=False):
    """The text with comments and literals emptied; every newline stays where it was."""
    def empty(match):
        s = match.group()
        if s[0] == "/":
            return " " + "\n" * s.count("\n")
        return s if comments_only else s[0] + s[0]
    return TOKEN.sub(empty, text)


def split_arguments(text):
    """Top-level comma-separated parts of a parameter list."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return [p.strip() for p in parts if p.strip() not in ("", "void")]


def report(name, problems):
    for p in problems:
        print(f"{name}: {p}", file=sys.stderr)
    return 1 if problems else 0
