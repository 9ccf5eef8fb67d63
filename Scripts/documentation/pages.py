"""The pages of the site: which there are, in which groups, and what their links become."""

import posixpath
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

# The groups of the navigation, and their pages in order. A pattern takes those that no line before has.
GROUPS = {
    "Start": ["README.md", "Docs/WhenToUse.md", "Docs/Python.md", "Docs/Glossary.md", "CHANGELOG.md"],
    "Guides": [
        "Docs/Parameters.md", "Docs/MemoryAndTime.md", "Docs/Running.md", "Docs/Planning.md", "Docs/Groups.md",
        "Docs/Diarization.md", "Docs/Report.md", "Models/README.md", "Docs/*.md"],
    "Users": ["Docs/Users/*.md"],
    "Algorithms": ["Docs/Architecture.md", "Docs/Algorithms/*.md"],
    "Reference": [
        "Reference/CommandLine.md", "Reference/Python.md", "Reference/Swift.md", "Docs/Formats.md",
        "Docs/Results.md", "Docs/Scaling.md"],
    "Decisions": ["Docs/Decisions/*.md", "Docs/Workarounds.md", "CONTRIBUTING.md", "Python/README.md"],
}
NAMED = {"README.md": "index.md"}  # where a page has another name on the site
LINK = re.compile(r"(?<=\]\()([^()\s]+)(?=\))")
CODE = re.compile(r"(?ms)^```.*?^```$|`[^`\n]+`")
IMAGE = re.compile(r'(?<=src=")([^"]+)(?=")')


@dataclass
class Page:
    name: str  # its path on the site, with .md
    text: str
    group: str | None  # None: below another page

    @property
    def title(self):
        return self.heading.group(1).replace("`", "") if self.heading else self.name

    @property
    def heading(self):
        return re.search(r"(?m)^# (.+)$", self.text)

    @property
    def summary(self):
        """The first sentence of the first paragraph that is neither code, list, table, picture nor quote."""
        after = self.text[self.heading.end():] if self.heading else self.text
        for part in re.sub(r"(?ms)^```.*?^```$", "", after).split("\n\n"):
            lines = re.sub(r"^\*\*[^*]+\.\*\* ", "", part.strip("\n"))
            if lines and not re.match(r"    |[|#!<>\-*{]|\d+\. |\*\*", lines):
                plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(lines.split()))
                return re.split(r"(?<=[.!?])\s(?=[A-Z`*])|:$", plain)[0].rstrip(".") + "."
        return ""


def repository_pages(root):
    """Pages that stand in the repository, with their groups."""
    found = {}
    for order in (False, True):  # exact names first, so that a pattern leaves them
        for group, patterns in GROUPS.items():
            for pattern in patterns:
                if ("*" in pattern) == order and not pattern.startswith("Reference/"):
                    paths = sorted(root.glob(pattern)) if order else [root / pattern]
                    for path in paths:
                        found.setdefault(path.relative_to(root).as_posix(), group)
    return [
        Page(NAMED.get(path, path), (root / path).read_text(), group) for path, group in found.items()]


def in_order(pages):
    """Pages as the navigation has them: by the first pattern that names one, then by name; those below others last."""
    patterns = [(group, NAMED.get(pattern, pattern)) for group, names in GROUPS.items() for pattern in names]

    def key(page):
        places = [
            (("*" in pattern), i) for i, (group, pattern) in enumerate(patterns)
            if group == page.group and fnmatch(page.name, pattern)]
        return (page.group is None, min(places)[1] if places else 0, page.name)
    return sorted(pages, key=key)


def rewrite_links(pages, root):
    """Has links point to pages of the site; returns what else of the repository they name.

    A link to a picture stays; to another file or directory it becomes `source:PATH`, which a later step resolves.
    """
    names = {page.name for page in pages}
    sources, pictures = set(), set()
    original = {site: repository for repository, site in NAMED.items()}

    def target(page, link):
        if re.match(r"[a-z]+:|#", link):
            return link
        path, _, anchor = link.partition("#")
        here = posixpath.dirname(original.get(page.name, page.name))
        there = posixpath.normpath(posixpath.join(here, path))
        there = NAMED.get(there, there)
        anchor = "#" + anchor if anchor else ""
        if there in names:
            return posixpath.relpath(there, posixpath.dirname(page.name) or ".") + anchor
        if not (root / there).exists():
            raise SystemExit(f"error: {page.name}: a link to {link}, which is not there")
        if there.endswith((".svg", ".png")):
            pictures.add(there)
            return posixpath.relpath(there, posixpath.dirname(page.name) or ".")
        if there == "Docs/Decisions":
            return target(page, posixpath.relpath(sorted(
                name for name in names if name.startswith(there + "/"))[0], here or "."))
        sources.add(there)
        return "source:" + there

    for page in pages:
        for pattern in (LINK, IMAGE):
            code = [match.span() for match in CODE.finditer(page.text)]
            page.text = pattern.sub(
                lambda match: match.group(0) if any(a <= match.start() < b for a, b in code)
                else target(page, match.group(1)), page.text)
    return sources, pictures


def slugs(text):
    """The names by which links find the headings of a page, as GitHub makes them."""
    found, counts = set(), {}
    for heading in re.findall(r"(?m)^#{1,6} (.+?)\s*$", re.sub(r"(?ms)^```.*?^```$", "", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = counts.get(slug, 0)
        counts[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def dead_anchors(pages):
    """A line for every link to a heading that no page has; after `rewrite_links`, which refuses dead files."""
    places = {page.name: slugs(page.text) for page in pages}
    for page in pages:
        for link in LINK.findall(CODE.sub("", page.text)):
            path, _, anchor = link.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(page.name), path)) if path else page.name
            if anchor and there in places and anchor not in places[there]:
                yield f"{page.name}: {link}"


def directory_text(path):
    return "\n".join(sorted(p.name + "/" * p.is_dir() for p in path.iterdir() if not p.name.startswith("."))) + "\n"


def source_path(source, root):
    """Where a file, or the list of a directory, lies on the site; a browser shows .txt as it is."""
    return f"source/{source}/index.txt" if (root / source).is_dir() else f"source/{source}.txt"


def write_sources(sources, root, directory):
    for source in sources:
        path = directory / source_path(source, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            directory_text(root / source) if (root / source).is_dir()
            else (root / source).read_text(errors="replace"))


def resolved(text, name, root, repository=None):
    """The text of a page with links to sources, and to other files of the site, as they are seen from it."""
    def link(match):
        kind, path = match.groups()
        if kind == "source" and repository:
            return f"{repository.rstrip('/')}/{path}"
        there = source_path(path, root) if kind == "source" else path
        return posixpath.relpath(there, posixpath.dirname(name) or ".")
    return re.sub(r'(?<=[("])(source|site):([^)"\s]+)', link, text)


def navigation(pages):
    """The hidden tables of contents that the first page carries."""
    for group in GROUPS:
        names = [page.name.removesuffix(".md") for page in pages if page.group == group and page.name != "index.md"]
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {group}\n\n" + "\n".join(names) + "\n```\n"
