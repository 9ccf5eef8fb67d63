"""What is said of values, errors and work, in the words of Python."""

from __future__ import annotations

import re
from typing import Any

# What functions of the library do, before the level or phase that is reported.
_WORK = {"highland_knn": "searching", "highland_train": "training", "highland_fit": "predicting", "highland_assign": "predicting"}

# Options of the command line by what they are called here; a number behind them is their value.
_OPTION = re.compile(
    r"(?<![^\s(\"'])--?(k|clusters|epochs|granularity|graphs|invalid-rows|method|recall|search|seed|tau|threads|width)"
    r"(?![\w-])(?: (\d[\d.]*\b))?")


def cut(text: str, width: int = 60) -> str:
    """A text, or its beginning and an ellipsis if it is longer than `width`."""
    return text if len(text) <= width else text[: width - 3] + "..."


def shown(value: Any) -> str:
    """A value as messages show it: its `repr`, cut."""
    # A long text is cut before it is quoted, so that what is shown is a text.
    return repr(cut(value)) if isinstance(value, str) else cut(repr(value))


def in_python(message: str) -> str:
    """A message of the library with the names of parameters in place of those of options: k=8 for -k 8."""

    def name(option: re.Match[str]) -> str:
        parameter = {"clusters": "n_clusters"}.get(option[1], option[1].replace("-", "_"))
        return parameter if option[2] is None else f"{parameter}={option[2]}"

    return _OPTION.sub(name, message)


def progress(function: str, level: int) -> str:
    """What a function of the library does, for the line of progress."""
    return _WORK.get(function, f"clustering, level {level}")
