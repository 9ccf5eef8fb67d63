"""functions: Python functions by the words in them; identity = the file. A long tail of sizes.

Functions of SymPy, NetworkX, SciPy and scikit-learn at the versions in requirements.txt.
"""

import ast
import re
from importlib import util
from pathlib import Path

import numpy

import common

PACKAGES = {"sympy": "sympy", "networkx": "networkx", "scipy": "scipy", "sklearn": "scikit-learn"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def functions_of(path):
    """The source of every function and method of a file that has 4 lines or more."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.end_lineno - node.lineno >= 3:
                yield "\n".join(lines[node.lineno - 1:node.end_lineno])


def make(output, cache):
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for package in PACKAGES:
        root = Path(util.find_spec(package).origin).parent
        for path in sorted(root.rglob("*.py")):
            # Half of the files, and sizes over two decades.
            chosen, most = random.random(), int(numpy.exp(random.uniform(0, numpy.log(150))))
            if chosen < 0.5:
                continue
            bodies = sorted(set(functions_of(path)))
            for index in random.permutation(len(bodies))[:most]:
                texts.append(" ".join(word.lower() for word in WORD.findall(bodies[index])))
                identities.append(f"{package}/{path.relative_to(root)}")
    identities = numpy.array(identities)
    features, train, test = common.text_features(
        texts, identities, 400, 256, shrinkage=1, ngram_range=(1, 2), max_features=30000)
    common.write(
        output, "functions", features, identities, train, test,
        source=", ".join(map(common.version, PACKAGES.values())), licence="BSD-3-Clause, all four",
        made="TF-IDF of words and pairs of words in a function's source, SVD, LDA fitted on 30 % "
        "of the files, in neither split")


common.run(make)
