"""The parts of Scripts/docs that need neither Sphinx nor a build."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import command_line
import indexes
import links
import pages
import swift_library


def a_repository(directory, files):
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return pages.in_order(pages.repository_pages(directory))


FILES = {
    "README.md": "# Highland\n\nFinds groups. And more.\n\n[run](Docs/Running.md#one-host) `[no](link)` [why](Docs/Decisions)\n",
    "CHANGELOG.md": "# Changelog\n", "CONTRIBUTING.md": "# Contributing\n", "Models/README.md": "# Models\n",
    "Python/README.md": "# Python\n", "Docs/WhenToUse.md": "# When\n", "Docs/Python.md": "# Tutorial\n",
    "Docs/Glossary.md": "# Glossary\n", "Docs/Parameters.md": "# Options\n", "Docs/MemoryAndTime.md": "# Memory\n",
    "Docs/Running.md": "# Running\n\n    highland\n\n**First.** One [host](../README.md), [code](../Sources/A.swift). Two.\n\n## One host\n",
    "Docs/Planning.md": "# Plan\n", "Docs/Groups.md": "# Groups\n", "Docs/Diarization.md": "# Who\n",
    "Docs/Report.md": "# Report\n", "Docs/Architecture.md": "# Architecture\n", "Docs/Formats.md": "# Formats\n",
    "Docs/Results.md": "# Results\n", "Docs/Scaling.md": "# Scaling\n", "Docs/Workarounds.md": "# Workarounds\n",
    "Docs/New.md": "# A new page\n", "Docs/Decisions/0001-a.md": "# 1. A\n", "Sources/A.swift": "let a = 1\n"}


def test_links_are_those_of_the_site(tmp_path):
    found = a_repository(tmp_path, FILES)
    sources, _ = pages.rewrite_links(found, tmp_path)
    texts = {page.name: page.text for page in found}
    assert "[run](Docs/Running.md#one-host) `[no](link)` [why](Docs/Decisions/0001-a.md)" in texts["index.md"]
    assert "[host](../index.md), [code](source:Sources/A.swift)" in texts["Docs/Running.md"]
    assert sources == {"Sources/A.swift"}
    resolved = pages.resolved(texts["Docs/Running.md"], "Docs/Running.md", tmp_path)
    assert "[code](../source/Sources/A.swift.txt)" in resolved
    resolved = pages.resolved(texts["Docs/Running.md"], "Docs/Running.md", tmp_path, "https://example.org/tree/")
    assert "[code](https://example.org/tree/Sources/A.swift)" in resolved
    assert list(pages.dead_anchors(found)) == []


def test_a_dead_link_is_found(tmp_path):
    found = a_repository(tmp_path, FILES | {"Docs/New.md": "# New\n\n[x](Gone.md)\n"})
    with pytest.raises(SystemExit, match="Docs/New.md: a link to Gone.md"):
        pages.rewrite_links(found, tmp_path)
    found = a_repository(tmp_path, FILES | {"Docs/New.md": "# New\n\n[x](Running.md#two-hosts) [y](#new)\n"})
    pages.rewrite_links(found, tmp_path)
    assert list(pages.dead_anchors(found)) == ["Docs/New.md: Running.md#two-hosts"]


def test_every_page_has_a_place_and_a_line(tmp_path):
    found = a_repository(tmp_path, FILES)
    assert [page.name for page in found][:2] == ["index.md", "Docs/WhenToUse.md"]
    assert {page.name: page.group for page in found}["Docs/New.md"] == "Guides"
    index = indexes.short_index(found, "An abstract.").splitlines()
    assert "- [Highland](index.md): Finds groups." in index
    assert "- [Running](Docs/Running.md): One host, code." in index
    assert "> An abstract." in index
    assert sum(line.startswith("- ") for line in index) == len(found)


def test_the_repository_has_no_dead_link():
    root = Path(__file__).resolve().parents[3]
    found = pages.repository_pages(root)
    pages.rewrite_links(found, root)
    assert list(pages.dead_anchors(found)) == []


def test_slugs_are_those_of_github():
    text = "# `-k`: how many\n\n## Out of core\n\n```\n# none\n```\n\n## Out of core\n\n## See [this](x.md), that\n"
    assert pages.slugs(text) == {"-k-how-many", "out-of-core", "out-of-core-1", "see-this-that"}


def test_dead_links_of_a_site(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "index.html").write_text('<a href="b/c.html#x">1</a><a href="b/c.html#y">2</a><img src="no.png">')
    (tmp_path / "b" / "c.html").write_text('<p id="x"><a href="../index.html">3</a><a href="https://example.org/">4</a>')
    assert links.dead_links(tmp_path) == ["index.html: b/c.html#y", "index.html: no.png"]


def test_a_command_becomes_a_page():
    name = {"kind": "long", "name": "above"}
    text = command_line.page(("highland", "cut"), {
        "abstract": "Cut a run.", "discussion": "  highland cut run \\\n    --above 0.5\n\nMerges by --above. Docs/Report.md tells.",
        "arguments": [
            {"kind": "positional", "valueName": "run", "isOptional": False, "isRepeating": False, "abstract": "A run."},
            {"kind": "option", "valueName": "above", "isOptional": False, "isRepeating": False, "names": [name],
             "preferredName": name, "abstract": "Merge above.", "defaultValue": "0.5", "allValues": ["0.5", "1"]}]})
    assert "```sh\nhighland cut run \\\n  --above 0.5\n```\n\nMerges by `--above`." in text
    assert "[Docs/Report.md](../../Docs/Report.md) tells." in text
    assert "highland cut [options] <run> --above <above>" in text
    assert "### `--above <above>`\n\nMerge above.\n\nValues: `0.5`, `1`.\n\nDefault: `0.5`." in text


def test_long_declarations_have_a_line_for_each_parameter():
    def symbol(text):
        return {"declarationFragments": [{"spelling": text}]}

    short = "func f(_ a: [Int: Int]) -> Int"
    assert swift_library.declaration(symbol(short)) == short
    long = "func f(_ a: (Int, Int) -> Int, using b: Dictionary<String, [Int]>, on communicator: some Communicator) throws -> Int"
    assert swift_library.declaration(symbol(long)) == (
        "func f(\n  _ a: (Int, Int) -> Int,\n  using b: Dictionary<String, [Int]>,\n"
        "  on communicator: some Communicator\n) throws -> Int")


def test_comments_are_markdown():
    lines = ["What it is.", "", "    x = ``y``", "", "> Collective: over ``c``.", "", "- Parameter a: Of ``b``.", "  More.", "- Returns: One."]
    symbol = {"docComment": {"lines": [{"text": line} for line in lines]}}
    assert list(swift_library.comment(symbol)) == [
        "What it is.", "", "    x = ``y``", "", "> **Collective:** over `c`.", "", "", "- **Parameter** `a`: Of `b`.", "  More.",
        "- **Returns**: One."]
