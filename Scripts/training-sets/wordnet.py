"""WordNet's nouns, as Debian carries them."""

import common


def read_nouns(cache):
    """Words, gloss and parent of every noun, by its name in the file; and the package's version."""
    directory = common.debian_files(["wordnet-base"], cache)["wordnet-base"]
    path = directory / "usr/share/wordnet/data.noun"
    nouns = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, gloss = line.split(" | ", 1)
        fields = data.split()
        count = int(fields[3], 16)
        words = [word.replace("_", " ") for word in fields[4:4 + 2 * count:2]]
        pointers = fields[5 + 2 * count:]
        parents = [pointers[i + 1] for i in range(0, len(pointers) - 1, 4)
                   if pointers[i] in ("@", "@i") and pointers[i + 2] == "n"]
        nouns[fields[0]] = (words, gloss.split("; \"")[0].strip(), parents[0] if parents else None)
    return nouns, common.debian_version(directory)
