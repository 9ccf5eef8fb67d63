"""What pip calls to build the wheel where Swift is: ``pip install ./Python``."""

import pathlib
import subprocess
import sys


def build_wheel(directory, config_settings=None, metadata_directory=None):
    """Builds the wheel into a directory, and returns its name."""
    script = pathlib.Path(__file__).parents[1] / "Scripts/build-wheel"
    subprocess.run([script, directory], check=True, stdout=sys.stderr)
    return next(pathlib.Path(directory).glob("highland-*.whl")).name
