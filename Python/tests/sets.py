"""Points that several tests cluster."""

import numpy as np


def points(centres=12, members=16, columns=24, seed=1, spread=0.2):
    """float32 rows around centres, and the centre of each."""
    generator = np.random.default_rng(seed)
    truth = np.arange(centres * members) % centres
    middles = generator.uniform(-1, 1, (centres, columns))
    return (middles[truth] + spread * generator.uniform(-1, 1, (len(truth), columns))).astype("f4"), truth
