"""The reference of the Python package, from its docstrings (numpy's style). The package is read, not imported."""

import re

import griffe


def python_page(directory):
    package = griffe.load("highland", search_paths=[str(directory)], docstring_parser="numpy")
    names = [str(name).strip("'\"") for name in package.exports or []]
    lines = ["# The Python package", "", prose(package.docstring.value), ""]
    for name in names:
        member = package[name]
        if member.is_alias:
            member = member.final_target
        if member.is_class or member.is_function:
            lines += described(member, f"highland.{name}", 2)
    return "\n".join(lines) + "\n"


def described(item, name, depth):
    """A class or function with its signature, sections and public methods."""
    yield from ("", f"{'#' * depth} {name}", "", "```python", signature(item, name), "```", "")
    if item.docstring:
        yield from sections(item.docstring.parsed)
    if item.is_class:
        for method in item.members.values():
            if method.is_function and not method.name.startswith("_") and method.docstring:
                yield from described(method, f"{name.removeprefix('highland.')}.{method.name}", depth + 1)


def signature(item, name):
    function = item.members.get("__init__") if item.is_class else item
    if function is None:
        fields = [n for n, m in item.members.items() if m.is_attribute and "instance-attribute" in m.labels]
        return f"{name}({', '.join(fields)})"
    words, starred = [], False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not starred:
            words.append("*")
            starred = True
        words.append(parameter.name + (f"={parameter.default}" if parameter.default is not None else ""))
    line = f"{name}({', '.join(words)})"
    if len(line) > 90:
        line = f"{name}(\n    " + ",\n    ".join(words) + ",\n)"
    returns = function.returns if not item.is_class else None
    return line + (f" -> {returns}" if returns is not None else "")


def prose(text):
    """Double backticks, as in reStructuredText, become single ones; examples become blocks."""
    parts = []
    for part in text.split("\n\n"):
        if part.lstrip().startswith(">>>"):
            parts.append(f"```pycon\n{part}\n```")
        else:
            parts.append(re.sub(r"``([^`]+)``", r"`\1`", part).replace("*", r"\*"))
    return "\n\n".join(parts)


def sections(parsed):
    for section in parsed:
        kind = section.kind.value
        if kind == "text":
            yield from (prose(section.value), "")
        elif kind == "examples":
            yield from ("**Examples**", "")
            for what, text in section.value:
                is_code = what.value == "examples"
                yield from (f"```pycon\n{text}\n```" if is_code else prose(text), "")
        elif kind in ("parameters", "attributes", "returns", "raises", "other parameters"):
            yield from (f"**{kind.capitalize()}**", "")
            for entry in section.value:
                name = f"`{entry.name}`" if getattr(entry, "name", "") else ""
                annotation = re.sub(r"^\((.*)\)$", r"\1", str(entry.annotation or ""))
                annotation = f"*{annotation}*" if annotation else ""
                head = ", ".join(filter(None, [name, annotation]))
                yield f"* {head}: {' '.join(prose(entry.description).split())}"
            yield ""
        elif kind == "admonition":
            yield from (f"**{section.title}**", "")
            for line in section.value.description.splitlines():
                if line.strip():
                    yield f"* {prose(line.strip())}" if not line.startswith(" ") else f"  {prose(line.strip())}"
            yield ""
