// Candidate lists of nearest neighbours.
#pragma once
#include <stddef.h>
#include <stdint.h>

// `capacity` places per row; an empty place is (-inf, -1). Lists of up to
// `highland_sorted_capacity` places are ordered by (similarity descending, index ascending); longer
// ones are heaps whose first place comes last in that order. bound[row] is what a candidate must reach to be considered: the last place's
// similarity, or more.
enum { highland_sorted_capacity = 128 };

typedef struct {
  float *similarity;
  int64_t *index;
  float *bound;
  size_t capacity;
} highland_lists;

// Offers scores[i][j] to the list of row i under the name column_names[j], unless that is the
// row's own name, row_names[i].
void highland_offer_to_rows(const float *scores, size_t stride, size_t rows, size_t columns,
                            const int64_t *row_names, const int64_t *column_names,
                            highland_lists lists);

// Offers scores[i][j] to the list of column j under the name row_names[i].
void highland_offer_to_columns(const float *scores, size_t stride, size_t rows, size_t columns,
                               const int64_t *row_names, highland_lists lists);

// Offers one candidate to one list.
void highland_offer(float similarity, int64_t index, size_t row, highland_lists lists);

// Where |scores[i][j]| >= limit, replaces it by what the difference of the two rows says of it:
// s = 1 - |x_i - y_j|^2 / 2, or |x_i + y_j|^2 / 2 - 1 where it is negative. Rows of x and y are `depth`
// long; x[i] belongs to scores[i], y[j] to column j.
void highland_refine_similarities(float *scores, size_t stride, size_t rows, size_t columns,
                                  const float *x, const float *y, size_t depth, float limit);
