// Candidate lists of nearest neighbours.
#pragma once
#include <stddef.h>
#include <stdint.h>

// `capacity` places per row, ordered by (similarity descending, index ascending); an empty place
// is (-inf, -1). bound[row] is what a candidate must reach to be considered: the last place's
// similarity, or more.
typedef struct {
  float *similarity;
  int64_t *index;
  float *bound;
  size_t capacity;
} highland_lists;

// Offers scores[i][j] to the list of row i under the name first_column + j, unless that is the
// row's own name, first_row + i.
void highland_offer_to_rows(const float *scores, size_t stride, size_t rows, size_t columns,
                            int64_t first_row, int64_t first_column, highland_lists lists);

// Offers scores[i][j] to the list of column j under the name first_row + i.
void highland_offer_to_columns(const float *scores, size_t stride, size_t rows, size_t columns,
                               int64_t first_row, highland_lists lists);

// Offers one candidate to one list.
void highland_offer(float similarity, int64_t index, size_t row, highland_lists lists);
