// Neighbours within cells: scores of rows whose names are in no order.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "neighbors.h"

// Copies rows of `width` floats one after the other: row r from own + r * width, or, from own_count on, from
// guests + (r - own_count) * width. Rows that lie anywhere in memory are fetched ahead of their turn, and
// so are the lists of own rows, which will be offered to next.
void highland_gather_rows(const float *own, size_t own_count, const float *guests,
                          const int32_t *rows, size_t count, size_t width, highland_lists lists,
                          float *out);

// How far a row is from the borders between its nearest cell, the first of some, and the others:
// (s_0 - s_j) / |c_0 - c_j| for similarities s to centres c of `width` columns. 0 for the first cell and for
// centres that are equal, infinity for places without a cell, of index -1.
void highland_border_distances(const float *centers, size_t width, const int64_t *cells,
                               const float *similarity, size_t count, float *distance);

// A value that at least `capacity` of the scores reach: the capacity-th largest among the maxima of every
// 16th, 32nd, 64th or 128th score; -inf where there are too few scores, or more than 64 places. A list that
// is offered only what reaches it ends up the same, after little more than `capacity` candidates instead
// of capacity * ln(columns / capacity).
float highland_reached_score(const float *scores, size_t columns, size_t capacity);

// Offers scores[j] to one list under the name names[j], unless that is the row's own name, `own`, or in the
// list already.
void highland_offer_scores(const float *scores, size_t columns, int64_t own, const int64_t *names,
                           size_t row, highland_lists lists);

// Offers candidates to one list, as `highland_offer`, except those that are in it already. Candidates
// without a name, of index -1, are passed over.
void highland_offer_new(const float *similarity, const int64_t *index, size_t count, size_t row,
                        highland_lists lists);
