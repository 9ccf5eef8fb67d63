"""llms.txt and llms-full.txt: an index of the Markdown pages, and all of them in one file (llmstxt.org)."""

from pages import GROUPS


def short_index(pages, abstract):
    lines = ["# Highland", "", f"> {abstract}", ""]
    for group in GROUPS:
        lines += [f"## {group}", ""]
        for page in pages:
            if page.group == group:
                lines.append(f"- [{page.title}]({page.name}): {page.summary}")
                below = page.name.removesuffix(".md") + "/"
                lines += [
                    f"- [{other.title}]({other.name}): {other.summary}"
                    for other in pages if other.group is None and other.name.startswith(below)]
        lines.append("")
    return "\n".join(lines)


def all_pages(pages):
    return "\n\n".join(f"<!-- {page.name} -->\n\n{page.text.strip()}" for page in pages) + "\n"
