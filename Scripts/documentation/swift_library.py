"""The reference of the Swift library, from the symbol graphs that the compiler's tool makes of built modules."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

KINDS = {
    "swift.protocol": "Protocols", "swift.struct": "Structures", "swift.enum": "Enumerations",
    "swift.class": "Classes", "swift.typealias": "Type aliases", "swift.func": "Functions", "swift.var": "Variables",
    "swift.macro": "Macros", "swift.func.op": "Operators"}
FIELD = re.compile(
    r"- (Parameters|Returns|Throws|Complexity|Precondition|Note|Important|Postcondition|Invariant):")


def library_modules(root):
    """The modules of the package's libraries, and the products that have each."""
    text = subprocess.run(
        ["swift", "package", "dump-package"], cwd=root, check=True, capture_output=True, text=True).stdout
    products = defaultdict(list)
    for product in json.loads(text)["products"]:
        if "library" in product["type"] and product["type"]["library"] != ["dynamic"]:
            for target in product["targets"]:
                products[target].append(product["name"])
    return dict(sorted(products.items()))


def extract(modules, build, root, directory):
    """Symbol graphs of modules that stand in the directory of a build."""
    directory.mkdir(parents=True, exist_ok=True)
    target = json.loads(subprocess.run(
        ["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout)["target"]["triple"]
    options = ["-I", str(build / "Modules"), "-I", str(root / "Sources" / "CSystemMPI"), "-target", target]
    for path in sorted(build.glob("*.build/module.modulemap")):
        options += ["-Xcc", f"-fmodule-map-file={path}"]
    for package in ("ompi-c", "mpich"):
        found = subprocess.run(["pkg-config", "--cflags-only-I", package], capture_output=True, text=True)
        if found.returncode == 0:
            options += [word for flag in found.stdout.split() for word in ("-Xcc", flag)]
            break
    for module in modules:
        command = [
            toolchain() / "swift-symbolgraph-extract", "-module-name", module, *options, "-output-dir", directory,
            "-minimum-access-level", "public", "-skip-inherited-docs", "-skip-synthesized-members"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{done.stderr}error: no symbols of {module}; is {build} a whole build of this package?")


def make_archive(graphs, directory, base):
    """DocC of the same symbols; its pages need a server that has the site at the path `base`."""
    path = "/".join(filter(None, [base.strip("/"), directory.name]))
    done = subprocess.run(
        [toolchain() / "docc", "convert", "--additional-symbol-graph-dir", graphs, "--output-path", directory,
         "--fallback-display-name", "Highland", "--fallback-bundle-identifier", "highland",
         "--transform-for-static-hosting", "--hosting-base-path", path], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{done.stderr}error: docc made no archive")


def toolchain():
    """The directory of swift's tools."""
    return Path(shutil.which("swift")).resolve().parent


def library_pages(products, graphs, has_archive):
    """The text of a page for every module, by path on the site, and of their index."""
    texts, lines = {}, []
    for module, names in products.items():
        found = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in sorted(graphs.glob("*.json"))}
        own = Graph(found[module])
        said = ", ".join(f"`{name}`" for name in own.names[:6]) + (", and more" if len(own.names) > 6 else "")
        products_said = ", ".join(f"`{name}`" for name in names)
        parts = [
            f"# {module}", "", f"Has {said}.", "",
            f"`import {module}`; of the product{'s' * (len(names) > 1)} {products_said}.", "", *own.page()]
        for name in sorted(found):
            if name.startswith(module + "@"):
                text = Graph(found[name]).page(is_extension=True)
                if text:
                    parts += ["", f"## Extensions of {name.partition('@')[2]}", "", *text]
        texts[f"Reference/Swift/{module}.md"] = "\n".join(parts) + "\n"
        lines.append(f"| [`{module}`](Swift/{module}.md) | {products_said} | {said} |")
    tree = "\n".join(path.removeprefix("Reference/").removesuffix(".md") for path in texts)
    texts["Reference/Swift.md"] = "\n".join([
        "# The Swift library", "",
        "What a program of your own can import: every public declaration of the modules of the package's libraries, "
        "with its comment. [`Examples/Library`](../Examples/Library/Package.swift) is such a program."
        + (" The same [by DocC](site:docc/documentation/communication/index.html)." if has_archive else ""), "",
        "| Module | Products | Has, for example |", "|---|---|---|", *lines, "",
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```", ""])
    return texts


class Graph:
    """The public symbols of a module, or of what it adds to another one."""

    def __init__(self, graph):
        self.symbols = {
            symbol["identifier"]["precise"]: symbol for symbol in graph["symbols"]
            if not any(part.startswith("_") for part in symbol["pathComponents"])
            and symbol["pathComponents"][-1] not in ("init(from:)", "encode(to:)")}
        self.members = defaultdict(list)
        self.conformances = defaultdict(list)
        inside = set()
        for relation in graph["relationships"]:
            source, target = relation["source"], relation["target"]
            if relation["kind"] in ("memberOf", "requirementOf") and source in self.symbols:
                if source not in inside:
                    self.members[target].append(self.symbols[source])
                    inside.add(source)
            elif relation["kind"] == "conformsTo":
                name = relation.get("targetFallback") or self.symbols.get(target, {}).get("names", {}).get("title", "")
                self.conformances[source].append(name.rpartition(".")[2])
        self.outer = [
            symbol for key, symbol in self.symbols.items()
            if key not in inside and symbol["kind"]["identifier"] in KINDS]
        self.inside = [symbol for key, symbol in self.symbols.items() if key in inside]

    @property
    def names(self):
        """Of functions and types, without arguments, functions first."""
        order = ["swift.func", *KINDS]
        outer = sorted(self.outer, key=lambda s: (order.index(s["kind"]["identifier"]), s["names"]["title"]))
        return list(dict.fromkeys(symbol["names"]["title"].partition("(")[0] for symbol in outer))

    def page(self, is_extension=False):
        if is_extension:
            lines = []
            for owner in sorted({s["pathComponents"][0] for s in self.inside}):
                lines += [f"### {owner}", ""]
                for symbol in sorted(self.inside, key=place):
                    if symbol["pathComponents"][0] == owner:
                        lines += self.member(symbol)
            return lines
        lines = []
        for kind, title in KINDS.items():
            chosen = [symbol for symbol in self.outer if symbol["kind"]["identifier"] == kind]
            if chosen:
                lines += [f"## {title}", ""]
                for symbol in sorted(chosen, key=lambda s: s["names"]["title"].lower()):
                    lines += self.described(symbol)
        return lines

    def described(self, symbol):
        """A type with its members, or a function."""
        key = symbol["identifier"]["precise"]
        title = ".".join(symbol["pathComponents"])
        names = sorted(set(self.conformances[key]) - {"Sendable", "SendableMetatype", "Copyable", "Escapable", ""})
        suffix = f": {', '.join(names)}" if names else ""
        yield from (f"### {title}", "", "```swift", declaration(symbol) + suffix, "```", "", *comment(symbol), "")
        nested = []
        for member in sorted(self.members[key], key=place):
            if member["kind"]["identifier"] in KINDS and member["identifier"]["precise"] in self.members:
                nested.append(member)
            else:
                yield from self.member(member)
        for member in nested:
            yield from self.described(member)

    def member(self, symbol):
        yield from ("```swift", declaration(symbol), "```", "", *comment(symbol), "")


def place(symbol):
    location = symbol.get("location")
    return (location["uri"], location["position"]["line"]) if location else ("", 0)


def declaration(symbol):
    """Its text; a long one with a line for each parameter."""
    text = " ".join("".join(fragment["spelling"] for fragment in symbol["declarationFragments"]).split())
    start = text.find("(")
    if len(text) <= 90 or start < 0:
        return text
    depth, last, parts = 0, start + 1, []
    for i in range(start, len(text)):
        depth += text[i] in "([<" and text[i] != "" or 0
        depth -= text[i] in ")]" or (text[i] == ">" and text[i - 1] != "-")
        if (text[i] == "," and depth == 1) or depth == 0:
            parts.append(text[last:i].strip())
            last = i + 1
        if depth == 0:
            return text[: start + 1] + "\n  " + ",\n  ".join(filter(None, parts)) + "\n" + text[i:]
    return text


def comment(symbol):
    """A comment as Markdown: fields as a list, headings as bold lines, symbols as code."""
    lines = [line["text"] for line in symbol.get("docComment", {}).get("lines", [])]
    if symbol.get("docComment", {}).get("module") not in (None, symbol_module(symbol)):
        return
    was_field, is_fenced = False, False
    for line in lines:
        if line.startswith("```"):
            is_fenced = not is_fenced
        if is_fenced or line.startswith("    "):
            yield line
            continue
        line = re.sub(r"``([^`]+)``", r"`\1`", line)
        line = re.sub(r"^#+ (.+)$", r"**\1**", line)
        line = re.sub(r"^> ([A-Z]\w+):", r"> **\1:**", line)
        parameter = re.match(r"(\s*)- Parameter (\w+):", line)
        field = FIELD.match(line)
        if parameter:
            line = f"{parameter.group(1)}- **Parameter** `{parameter.group(2)}`:{line[parameter.end():]}"
        elif field:
            line = f"- **{field.group(1)}**:{line[field.end():]}"
        if (parameter or field) and not was_field:
            yield ""
        was_field = bool(parameter or field) or (was_field and line.startswith(" "))
        yield line


def symbol_module(symbol):
    return symbol.get("docComment", {}).get("module")
