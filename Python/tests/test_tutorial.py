import pathlib
import re

TUTORIAL = pathlib.Path(__file__).parents[2] / "Docs/Python.md"


def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(), re.M | re.S)
    assert len(blocks) > 3
    exec("\n".join(blocks), {})
