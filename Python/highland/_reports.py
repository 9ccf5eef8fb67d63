"""Pages of the levels that a fit has written."""

from __future__ import annotations

import ctypes
import os
import pathlib
import tempfile
import webbrowser
from collections.abc import Iterable
from ctypes import c_void_p
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _library
from ._functions import codes
from ._library import Watcher

PathOrTexts = Union[str, "os.PathLike[str]", Iterable[Any]]


def page(
    hierarchy: str, names: PathOrTexts | None, images: PathOrTexts | None, truth: ArrayLike | None, top: int,
) -> str:
    """The page of the levels in a directory, as ``highland report`` writes it. The parameters are those of `Highland.report`."""
    options = _library.ReportOptions(top=_library.whole(top, "top"))
    labels = None if truth is None else codes(truth, "truth")
    if labels is not None:
        options.truth, options.truth_count = labels.ctypes.data, len(labels)
    html = c_void_p()
    with tempfile.TemporaryDirectory(prefix="highland-") as directory:
        options.names = None if names is None else _names(names, directory)
        options.images = None if images is None else _images(images, directory)
        try:
            _library.call(
                "highland_report", os.fsencode(hierarchy), options, ctypes.byref(html), watcher=Watcher(False),
                keeping=labels)
        except ValueError as error:
            # Files of ours have the names of the parameters that they are made of.
            raise ValueError(str(error).replace(f"{directory}/", "")) from None
    return _library.take_text(html)


def save(page: str, path: str | os.PathLike[str] | None) -> str:
    """Writes a page, or, without a path, shows it in a browser from a temporary file. Returns the path."""
    if path is not None:
        pathlib.Path(path).write_text(page, encoding="utf-8", newline="")
        return os.fspath(path)
    with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", prefix="highland-", suffix=".html", delete=False) as file:
        file.write(page)
    webbrowser.open(pathlib.Path(file.name).as_uri())
    return file.name


def _names(names: PathOrTexts, directory: str) -> bytes:
    """The path of a text with a name on each line."""
    if isinstance(names, (str, os.PathLike)):
        return os.fsencode(names)
    # What breaks a line would make two names of one.
    return _written((" ".join(str(name).splitlines()) for name in names), f"{directory}/names")


def _images(images: PathOrTexts, directory: str) -> bytes:
    """The path of a text with the path of an image on each line, or of an array of pixels."""
    if isinstance(images, (str, os.PathLike)):
        return os.fsencode(images)
    pixels = np.asarray(images)
    if pixels.ndim > 1:
        np.save(f"{directory}/images.npy", np.ascontiguousarray(pixels))
        return os.fsencode(f"{directory}/images.npy")
    paths = ["" if path is None else os.fsdecode(path) for path in images]
    for row, path in enumerate(paths):
        if "\n" in path:
            raise ValueError(f"images: row {row}: {path!r}; expected a path without line feeds")
    return _written((os.path.abspath(path) if path else "" for path in paths), f"{directory}/images")


def _written(lines: Iterable[str], path: str) -> bytes:
    """The path of a text of some lines."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)
    return os.fsencode(path)
