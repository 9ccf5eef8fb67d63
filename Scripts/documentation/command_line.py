"""The reference of the command line, from what its parser knows."""

import json
import re
import subprocess
import textwrap


def command_pages(program):
    """The text of a page for every command, by path on the site, and of their index; and the program's abstract."""
    output = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    highland = json.loads(output)["command"]
    texts, lines = {}, []
    for names, command in commands(highland):
        if len(names) > 1:
            name = "-".join(names)
            texts[f"Reference/CommandLine/{name}.md"] = page(names, command)
            lines.append(f"| [`{' '.join(names)}`](CommandLine/{name}.md) | {cell(command.get('abstract', ''))} |")
    tree = "\n".join(path.removeprefix("Reference/").removesuffix(".md") for path in texts)
    texts["Reference/CommandLine.md"] = "\n".join([
        "# The command line", "", "Every command of `highland`, with all of its options, as `--help` tells them.", "",
        prose(highland.get("discussion")), "", "| Command | |", "|---|---|", *lines, "",
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```", ""])
    return texts, highland["abstract"]


def commands(command, above=()):
    names = (*above, command["commandName"])
    yield names, command
    for below in command.get("subcommands", []):
        if below["commandName"] != "help":
            yield from commands(below, names)


def prose(text):
    """Paragraphs, and lines that are indented as code."""
    parts = []
    for part in filter(None, (text or "").split("\n\n")):
        code, block = None, []
        for line in part.split("\n"):
            if line.startswith(" ") != code and block:
                parts.append(written(block, code))
                block = []
            code = line.startswith(" ")
            block.append(line)
        parts.append(written(block, code))
    return "\n\n".join(parts)


def written(block, code):
    if code:
        return "```sh\n" + textwrap.dedent("\n".join(block)) + "\n```"
    return linked(" ".join(block))


def linked(text):
    """Text with the names of options as code, and those of pages as links."""
    text = re.sub(r"(?<![\w`-])(--?[a-zA-Z][a-z-]*)", r"`\1`", text.replace("*", r"\*").replace("<", "&lt;"))
    return re.sub(r"\bDocs/[\w/]+\.md", lambda match: f"[{match.group(0)}](../../{match.group(0)})", text)


def cell(text):
    return linked(text).replace("|", r"\|")


def page(names, command):
    shown = [
        item for item in command.get("arguments", [])
        if item.get("shouldDisplay", True) and item.get("valueName") not in ("help", "version")]
    lines = [f"# {' '.join(names)}", "", linked(command.get("abstract", "")), ""]
    if command.get("discussion"):
        lines += [prose(command["discussion"]), ""]
    below = [item for item in command.get("subcommands", []) if item["commandName"] != "help"]
    for item in below:
        name = "-".join((*names, item["commandName"]))
        lines.append(f"* [`{' '.join(names)} {item['commandName']}`]({name}.md): {linked(item.get('abstract', ''))}")
    if shown:
        lines += ["", "```", usage(names, shown), "```"]
    for title, kind in (("Arguments", True), ("Options", False)):
        chosen = [item for item in shown if (item["kind"] == "positional") == kind]
        if chosen:
            lines += ["", f"## {title}"]
            for item in chosen:
                lines += ["", *argument(item)]
    return "\n".join(lines) + "\n"


def usage(names, items):
    words = [" ".join(names), "[options]"]
    for item in items:
        if item["kind"] == "positional":
            word = f"<{item['valueName']}>" + (" ..." if item["isRepeating"] else "")
            words.append(f"[{word}]" if item["isOptional"] else word)
        elif not item["isOptional"] and item["kind"] == "option":
            words.append(f"{spelling(item['preferredName'])} <{item['valueName']}>")
    return " ".join(words)


def spelling(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def argument(item):
    """A heading with the names, then what it means, its values and its default."""
    value = f"<{item['valueName']}>"
    if item["kind"] == "positional":
        yield f"### `{value}`"
    else:
        names = ", ".join(sorted(map(spelling, item["names"]), key=len))
        yield f"### `{names}{' ' + value if item['kind'] == 'option' else ''}`"
    yield ""
    yield linked(" ".join(filter(None, [item.get("abstract"), item.get("discussion")])))
    if item.get("allValues"):
        yield "\nValues: " + ", ".join(f"`{value}`" for value in item["allValues"]) + "."
    if item.get("defaultValue") is not None:
        yield f"\nDefault: `{item['defaultValue']}`."
    if item.get("isRepeating"):
        yield "\nMay be given several times."
