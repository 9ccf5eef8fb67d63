#!/usr/bin/env python3
"""Convert Kaldi's embeddings of segments to features.npy and segments, for highland diarize.

    Scripts/convert-kaldi.py xvector.scp segments DIRECTORY

Takes an .scp, or an .ark of vectors, and Kaldi's segments (name, recording, start, end). Writes features.npy, float32 with
a row for each line of segments, and segments, a copy of these lines. Vectors of other names are left out; a segment
without a vector is an error.

Needs numpy and kaldiio.
"""

import argparse
import os
import sys


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", help="the .scp or .ark file")
    parser.add_argument("segments", help="Kaldi's segments")
    parser.add_argument("directory", nargs="?", default=".",
                        help="where to write features.npy and segments (default: here)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    arguments = parser.parse_args()

    features, segments = [os.path.join(arguments.directory, name) for name in ("features.npy", "segments")]
    for target in (features, segments):
        for source in (arguments.vectors, arguments.segments):
            if os.path.exists(target) and os.path.exists(source) and os.path.samefile(target, source):
                sys.exit(f"{target}: is an input; an output needs a name of its own")
        if os.path.exists(target) and not arguments.overwrite:
            sys.exit(f"{target}: exists already; give --overwrite to replace it")
    if not os.path.isdir(arguments.directory):
        sys.exit(f"{arguments.directory}: there is no such directory")

    import kaldiio
    import numpy

    if arguments.vectors.endswith(".scp"):
        vectors = kaldiio.load_scp(arguments.vectors)
    else:
        vectors = dict(kaldiio.load_ark(arguments.vectors))
    lines = [line for line in open(arguments.segments, encoding="utf-8").read().splitlines() if line.strip()]
    rows = []
    for number, line in enumerate(lines, 1):
        fields = line.split()
        place = f"{arguments.segments}: line {number}"
        if len(fields) != 4:
            sys.exit(f"{place}: expected a name, its recording, a start and an end, found '{line.strip()}'")
        if fields[0] not in vectors:
            sys.exit(f"{place}: {arguments.vectors} has no vector '{fields[0]}'")
        vector = numpy.asarray(vectors[fields[0]], "<f4")
        if vector.ndim != 1 or rows and len(vector) != len(rows[0]):
            expected = f"{len(rows[0])} numbers, as the first" if rows else "a vector"
            sys.exit(f"{arguments.vectors}: '{fields[0]}' has shape {vector.shape}; expected {expected}")
        rows.append(vector)
    if not rows:
        sys.exit(f"{arguments.segments}: no segments")
    array = numpy.stack(rows)
    with open(features + ".tmp", "wb") as file:
        numpy.save(file, array)
    with open(segments + ".tmp", "w", encoding="utf-8") as file:
        file.writelines(line.strip() + "\n" for line in lines)
    for target in (features, segments):
        os.replace(target + ".tmp", target)
    print(f"{features}: {array.dtype} {array.shape}\n{segments}: {len(lines)} lines")


if __name__ == "__main__":
    main()
