#!python
"""The command ``highland``: the program in the package, in place of this process."""

import importlib.util
import os
import sys

# The package itself is not loaded: that would load NumPy, too.
folder = importlib.util.find_spec("highland").submodule_search_locations[0]
program = os.path.join(folder, "highland-program")
os.execv(program, [program, *sys.argv[1:]])
