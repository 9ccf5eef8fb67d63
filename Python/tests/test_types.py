import json
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "highland"


def test_types_are_those_that_pyright_finds():
    pytest.importorskip("pyright")
    found = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", PACKAGE], capture_output=True, text=True, timeout=300)
    report = json.loads(found.stdout)
    assert report["summary"]["filesAnalyzed"] >= 5 and not report["generalDiagnostics"]
