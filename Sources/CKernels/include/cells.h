// Neighbours within a cell: a square of scores, all of it at once.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "neighbors.h"

// out[j][i] = x[i][j], for the `rows` x `columns` floats of x; they do not overlap.
void highland_transpose(const float *x, size_t x_stride, size_t rows, size_t columns, float *out,
                        size_t out_stride);

// Raises bound[i], where it is lower, to a value that at least `capacity` of the scores of row i reach:
// the capacity-th largest among the maxima of every 16th, 32nd, 64th or 128th score. Lists of
// `capacity` places that are offered only what reaches it end up the same, after a few candidates
// instead of capacity * ln(columns / capacity). Does nothing where `columns` or `capacity` is not
// between 1 and 64 such groups.
void highland_raise_bounds(const float *scores, size_t stride, size_t rows, size_t columns,
                           size_t capacity, float *bound);

// Offers candidates to one list, as `highland_offer`, except those that are in it already. Candidates
// without a name, of index -1, are passed over.
void highland_offer_new(const float *similarity, const int64_t *index, size_t count, size_t row,
                        highland_lists lists);
