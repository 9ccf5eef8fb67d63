"""Packs Python/highland, the library and the command as a wheel: make-wheel.py LIBRARY PROGRAM DIRECTORY.

A wheel is a zip with a list of its files; nothing has to be installed or loaded to make one.
"""

import base64
import hashlib
import pathlib
import platform
import re
import subprocess
import sys
import tomllib
import zipfile

library, program, output = map(pathlib.Path, sys.argv[1:])
root = pathlib.Path(__file__).parent
header = (root.parent / "Sources/CHighland/include/highland.h").read_text()
version = re.search(r'^#define HIGHLAND_VERSION "(.*)"$', header, re.M)[1]
project = tomllib.loads((root / "pyproject.toml").read_text())["project"]

# The newest version of glibc that a symbol needs says on which systems library and program load.
symbols = subprocess.run(["objdump", "-T", library, program], capture_output=True, text=True, check=True)
glibc = max(tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", symbols.stdout))
tag = f"py3-none-manylinux_{glibc[0]}_{glibc[1]}_{platform.machine()}"

about = f"highland-{version}.dist-info"
metadata = f"""Metadata-Version: 2.4
Name: {project["name"]}
Version: {version}
Summary: {project["description"]}
License-Expression: {project["license"]}
License-File: LICENSE
Requires-Python: {project["requires-python"]}
Description-Content-Type: text/markdown
""" + "".join(f"Requires-Dist: {name}\n" for name in project["dependencies"])
files = {f"highland/{path.name}": path.read_bytes()
         for path in sorted((root / "highland").iterdir()) if path.suffix in (".py", ".typed")}
files["highland/libhighland.so"] = library.read_bytes()
files["highland/highland-program"] = program.read_bytes()
# What is here goes where commands are.
files[f"highland-{version}.data/scripts/highland"] = (root / "command.py").read_bytes()
files[f"{about}/METADATA"] = (metadata + "\n" + (root / "README.md").read_text()).encode()
files[f"{about}/WHEEL"] = (
    f"Wheel-Version: 1.0\nGenerator: make-wheel\nRoot-Is-Purelib: false\nTag: {tag}\n").encode()
files[f"{about}/licenses/LICENSE"] = (root.parent / "LICENSE").read_bytes()


def digest(contents):
    return base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()


record = "".join(f"{name},sha256={digest(contents)},{len(contents)}\n"
                 for name, contents in files.items())
files[f"{about}/RECORD"] = (record + f"{about}/RECORD,,\n").encode()

wheel = output / f"highland-{version}-{tag}.whl"
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, contents in files.items():
        # The same files make the same bytes.
        entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        # That it is a file, too: pip otherwise does not look at who may execute it.
        is_executable = name.endswith((".so", "/highland-program", "/scripts/highland"))
        entry.external_attr = (0o100755 if is_executable else 0o100644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, contents)
print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB")
