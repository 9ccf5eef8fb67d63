"""Checks that every link within a site leads to a file, and to a place in it."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Reader(HTMLParser):
    """The links and the named places of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.places = [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.places.add(value)


def dead_links(site, archive=None):
    """A line for every link that leads nowhere. Those to other hosts are not followed, nor those of an archive."""
    site = Path(site).resolve()
    pages = {
        path: Reader(path.read_text()) for path in sorted(site.rglob("*.html"))
        if archive is None or not path.is_relative_to(site / archive)}
    found = []
    for page, reader in pages.items():
        for link in reader.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if parts.scheme not in ("http", "https", "mailto", "data"):
                    found.append(f"{page.relative_to(site)}: {link}")
                continue
            path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            path = path / "index.html" if path.is_dir() else path
            is_there = path.is_relative_to(site) and path.is_file()
            if is_there and path in pages:
                is_there = unquote(parts.fragment) in pages[path].places
            if not is_there:
                found.append(f"{page.relative_to(site)}: {link}")
    return sorted(set(found))
