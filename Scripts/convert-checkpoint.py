#!/usr/bin/env python3
"""Convert a PyTorch checkpoint (.pth) to safetensors (.safetensors).

The checkpoint is a state dictionary: names and tensors, as torch.save(model.state_dict(), ...)
writes it. Names, shapes and order are kept; a dictionary that holds the state dictionary under
one key among others is entered with --key. Floating types are kept where safetensors has them
(F16, BF16, F32, F64), integers and truth values likewise.

Needs torch and numpy. The file is read with weights_only=True: the reading runs no code from it.
"""

import argparse
import json
import os
import pickle
import struct
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="the .pth file to read")
    parser.add_argument("output", help="the .safetensors file to write")
    parser.add_argument("--key", help="the entry of the checkpoint that is the state dictionary")
    parser.add_argument("--metadata", metavar="NAME=VALUE", action="append", default=[],
                        help="a string to store beside the tensors; may be repeated")
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    arguments = parser.parse_args()
    paths = (arguments.checkpoint, arguments.output)
    if all(map(os.path.exists, paths)) and os.path.samefile(*paths):
        sys.exit(f"{arguments.output}: is the input; an output needs a name of its own")
    if os.path.exists(arguments.output) and not arguments.overwrite:
        sys.exit(f"{arguments.output}: exists already; give --overwrite to replace it")
    metadata = {}
    for entry in arguments.metadata:
        name, separator, value = entry.partition("=")
        if not name or not separator:
            sys.exit(f"--metadata {entry}: expected NAME=VALUE")
        metadata[name] = value

    tensors = read_state(arguments.checkpoint, arguments.key)
    try:
        write_safetensors(tensors, metadata, arguments.output)
    except OSError as error:
        sys.exit(f"{arguments.output}: {error.strerror}")
    count = sum(tensor.numel() for tensor in tensors.values())
    print(f"{arguments.output}: {len(tensors)} tensors, {count} elements")


def read_state(path, key):
    """The tensors of a checkpoint by name, in its order."""
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except pickle.UnpicklingError:
        sys.exit(f"{path}: not read: no checkpoint, or one that holds more than tensors")
    except Exception as error:  # torch has no common type for them
        lines = str(error).splitlines()
        sys.exit(f"{path}: not read: {lines[0] if lines else type(error).__name__}")
    if key is not None:
        if not isinstance(state, dict) or key not in state:
            sys.exit(f"{path}: no entry '{key}'")
        state = state[key]
    if not isinstance(state, dict):
        sys.exit(f"{path}: a {type(state).__name__}; expected a dictionary of tensors")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            keys = ", ".join(str(key) for key in list(state)[:8])
            sys.exit(f"{path}: '{name}' is a {type(value).__name__}, not a tensor; if one of the "
                     f"entries ({keys}) is the state dictionary, name it with --key")
        if not isinstance(name, str) or name == "__metadata__":
            sys.exit(f"{path}: {name!r} cannot name a tensor")
    return state


def write_safetensors(tensors, metadata, path):
    """The header's length, the header in JSON, then the elements, in the order of the names."""
    import torch

    types = {
        torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
        torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
        torch.uint8: "U8", torch.bool: "BOOL",
    }
    header = {"__metadata__": metadata} if metadata else {}
    parts = []
    end = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in types:
            sys.exit(f"'{name}' has the type {tensor.dtype}, which is not converted")
        if tensor.layout != torch.strided:
            sys.exit(f"'{name}' is sparse, which is not converted")
        flat = tensor.detach().contiguous().reshape(-1)
        part = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [end, end + len(part)]}
        parts.append(part)
        end += len(part)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    write_whole(path, [struct.pack("<Q", len(text)), text] + parts)


def write_whole(path, parts):
    """Writes under another name beside the target, which is replaced at the end."""
    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(prefix=name + ".tmp-", dir=directory or ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


if __name__ == "__main__":
    main()
