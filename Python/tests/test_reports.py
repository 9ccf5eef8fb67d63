"""Levels that a fit writes, and pages of them: those of the command, where it is there."""

import base64
import html
import io
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import webbrowser
import zlib

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points(centres=20, members=20, spread=0.6)
NAMES = [f"row <{row}>" for row in range(len(X))]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return highland.Highland(hierarchy=tmp_path_factory.mktemp("fit") / "levels").fit(X)


@pytest.fixture(scope="module")
def command():
    """The path of the command of the same build."""
    beside = pathlib.Path(os.environ.get("HIGHLAND_LIBRARY", "")).with_name("highland")
    found = str(beside) if beside.is_file() else shutil.which("highland")
    return found or pytest.skip("there is no command beside the library")


def png(pixels):
    """A PNG file of [height, width, 3] pixels."""
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def thumbnails(page):
    """The images of a page: media type, bytes and the row that their title names."""
    found = re.findall(r'<img src="data:([a-z/]+);base64,([^"]*)" alt="" title="#(\d+)', page)
    return [(kind, base64.b64decode(data, validate=True), int(row)) for kind, data, row in found]


def test_a_page_is_written_and_returned(model, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("of an earlier fit")
    assert model.report(path) == str(path)
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n") and "<img" not in page
    assert f"400 points in {model.report_['clusterCount']} clusters" in page
    assert "Agreement with the truth" not in page


def test_a_page_is_that_of_the_command(model, command, tmp_path):
    """Of a fit in either, made by either."""
    np.save(tmp_path / "features.npy", X)
    np.save(tmp_path / "truth.npy", TRUTH)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    subprocess.run(
        [command, "cluster", "features.npy", "--hierarchy", "levels", "--progress", "none"],
        cwd=tmp_path, check=True, capture_output=True, timeout=120)
    written = pathlib.Path(model.hierarchy)
    arrays = sorted(file.relative_to(written) for file in written.rglob("*.npy"))
    assert len(arrays) > 6
    assert arrays == sorted(file.relative_to(tmp_path / "levels") for file in (tmp_path / "levels").rglob("*.npy"))
    for name in arrays:
        assert (written / name).read_bytes() == (tmp_path / "levels" / name).read_bytes(), name
    own = model.report(tmp_path / "own.html", names=NAMES, truth=TRUTH, top=4)
    for levels, title in [(written, "features"), (tmp_path / "levels", "features.npy")]:
        subprocess.run(
            [command, "report", levels, "--output", tmp_path / "page.html", "--overwrite", "--names",
             tmp_path / "names.txt", "--truth", tmp_path / "truth.npy", "--top", "4"],
            check=True, capture_output=True, timeout=120)
        page = (tmp_path / "page.html").read_bytes()
        assert page.replace(title.encode(), b"features") == pathlib.Path(own).read_bytes()


def test_levels_are_those_of_the_estimator(model):
    labels = np.load(pathlib.Path(model.hierarchy) / "labels.npy")
    assert np.array_equal(labels[-1], model.labels_)
    described = json.loads((pathlib.Path(model.hierarchy) / "hierarchy.json").read_text())
    assert len(described["levels"]) == len(labels) == len(model.report_["levels"])


def test_names_may_be_a_file_or_break_lines(model, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    first = pathlib.Path(model.report(tmp_path / "a.html", names=NAMES)).read_bytes()
    assert first == pathlib.Path(model.report(tmp_path / "b.html", names=tmp_path / "names.txt")).read_bytes()
    broken = [f"a\nb\u2028{row}" for row in range(len(X))]
    page = pathlib.Path(model.report(tmp_path / "c.html", names=broken)).read_text()
    shown = re.findall(r"#(\d+) a b (\d+)", page)
    assert shown and all(row == number for row, number in shown)


def test_images_are_those_of_the_rows_that_are_listed(model, tmp_path):
    files = []
    for row in range(len(X)):
        path = tmp_path / f"{row}.png"
        path.write_bytes(png(np.full((2, 3, 3), row % 251, np.uint8)))
        files.append(path if row % 5 else None)
    page = pathlib.Path(model.report(tmp_path / "page.html", names=NAMES, images=files, top=3)).read_text()
    shown = thumbnails(page)
    rows = {row for _, _, row in shown}
    assert shown and len(rows) < len(X)
    assert rows == {int(row) for row in re.findall(r"#(\d+) row", html.unescape(page))} - set(range(0, len(X), 5))
    assert all(kind == "image/png" and data == files[row].read_bytes() for kind, data, row in shown)
    # The same from a text, whose directory is where relative paths begin.
    (tmp_path / "paths.txt").write_text("".join(f"{path.name if path else ''}\n" for path in files))
    again = model.report(tmp_path / "again.html", names=NAMES, images=str(tmp_path / "paths.txt"), top=3)
    assert pathlib.Path(again).read_text() == page


@pytest.mark.parametrize("shape", [(400, 7, 5), (400, 7, 5, 1), (400, 7, 5, 3), (400, 7, 5, 4), (400, 260, 260, 3)])
def test_pixels_are_images(model, tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for given in [pixels, np.asfortranarray(pixels)]:
        shown = thumbnails(pathlib.Path(model.report(tmp_path / "page.html", images=given, top=2)).read_text())
        assert shown
        for kind, data, row in shown:
            assert kind == "image/png" and np.array_equal(decoded(data), pixels[row].reshape(shape[1], -1))


def decoded(data):
    """The bytes of each line of a PNG whose lines are stored as they are."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4:place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length) == (zlib.crc32(body),)
        chunks[body[:4]] = body[4:]
        place += length + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *format = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels = {0: 1, 2: 3, 6: 4}[format[1]]
    assert [format[0], *format[2:]] == [8, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert not lines[:, 0].any()
    return lines[:, 1:]


def test_pixels_are_what_pillow_reads(model, tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (400, 9, 6, 3), np.uint8)
    for _, data, row in thumbnails(pathlib.Path(model.report(tmp_path / "page.html", images=pixels)).read_text()):
        assert np.array_equal(np.asarray(image.open(io.BytesIO(data))), pixels[row])


def test_without_a_path_a_browser_shows_a_temporary_file(model, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    path = pathlib.Path(model.report(top=1))
    try:
        assert shown == [path.as_uri()] and path.suffix == ".html"
        assert path.read_text().startswith("<!DOCTYPE html>")
    finally:
        path.unlink()


def test_what_no_page_can_be_made_of_is_refused(model, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no image")
    large = tmp_path / "large.png"
    large.write_bytes(png(np.zeros((1, 1, 3), np.uint8)) + bytes(1 << 18))
    for options, message in [
        ({"names": NAMES[1:]}, "^names: 399 lines; expected 400, one per point$"),
        ({"images": [tmp_path / "no.png"] * 400}, f"^images: line 1: {tmp_path}/no.png: cannot open: No such file"),
        ({"images": [text] * 400}, f"^images: line 1: {text}: no PNG, JPEG, GIF or WebP image; it is a text$"),
        ({"images": [large] * 400}, f"^images: line 1: {large}: {large.stat().st_size} bytes; expected an image of 262144"),
        ({"images": [text] * 399}, "^images: 399 lines; expected 400, one per point$"),
        ({"images": ["a\nb"] * 400}, "^images: row 0: .* without line feeds$"),
        ({"images": np.zeros((400, 3, 3), "i8")}, r"^images.npy: int64 of shape \(400, 3, 3\); expected uint8 of shape"),
        ({"images": np.zeros((399, 3, 3), "u1")}, "^images.npy: 399 images; expected 400, one per point$"),
        ({"images": np.zeros((400, 3, 3, 2), "u1")}, r"\(points, height, width, 3\)$"),
        ({"images": np.zeros((400, 513, 512), "u1")}, r"^images.npy: images of \(513, 512\); expected 262144 bytes"),
        ({"truth": TRUTH[1:]}, "^truth: 399 labels; expected 400, one per point$"),
        ({"top": 1001}, "top = 1001: expected 1 ... 1000"), ({"top": 0}, "top = 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            # So many that row 0 is listed.
            model.report(tmp_path / "page.html", **{"top": 1000, **options})
    assert not (tmp_path / "page.html").exists()


def test_a_page_needs_a_fit_that_kept_its_levels(tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        highland.Highland().report()
    with pytest.raises(ValueError, match=r"kept no levels; expected Highland\(hierarchy=DIRECTORY\)"):
        highland.Highland().fit(X).report()
    model = highland.Highland(hierarchy=tmp_path / "levels").fit(X)
    with pytest.raises(ValueError, match="kept no levels"):
        model.set_params(hierarchy=None).fit(X).report()


def test_levels_are_kept_where_there_is_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = highland.Highland(hierarchy="levels").fit(X[:50])
    monkeypatch.chdir("levels")
    assert pathlib.Path(model.report(tmp_path / "page.html")).is_file()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="hierarchy: levels: is not empty; expected a new directory"):
        model.fit(X)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is not a directory"):
        highland.Highland(hierarchy="file").fit(X)
    assert sorted(os.listdir(tmp_path)) == ["file", "levels", "page.html"]


@pytest.mark.parametrize("options, groups, message", [
    ({"method": "flow"}, None, "hierarchy is of networks; not with method 'flow'"),
    ({"method": "auto"}, None, "hierarchy is of networks; not with method 'auto'"),
    ({"n_clusters": 3}, None, "hierarchy and groups or numbers of clusters"),
    ({}, TRUTH, "hierarchy and groups or numbers of clusters"),
])
def test_what_has_no_levels_is_refused(tmp_path, options, groups, message):
    with pytest.raises(ValueError, match=message):
        highland.Highland(hierarchy=tmp_path / "levels", **options).fit(X, groups=groups)
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_no_levels(tmp_path):
    bad = X.copy()
    bad[7] = 0
    with pytest.raises(ValueError, match="row 7"):
        highland.Highland(hierarchy=tmp_path / "levels").fit(bad)

    def stop(*_):
        raise LookupError("stop")

    with pytest.raises(LookupError):
        highland.Highland(hierarchy=tmp_path / "levels", progress=stop).fit(X)
    assert not list(tmp_path.iterdir())
