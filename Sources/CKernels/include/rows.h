// Kernels over rows of dense matrices, in training: `rows` rows of `width` floats, one after the other.
#pragma once
#include <stddef.h>

// sums[c] += column c of x.
void highland_add_column_sums(const float *x, size_t rows, size_t width, float *sums);

// g = y > 0 ? g : 0, and sums[c] += column c of that: the gradient of max(0, .) by its result y.
void highland_rectify_gradient(float *g, const float *y, size_t rows, size_t width, float *sums);

// out = factor * row, in every row.
void highland_spread_row(const float *row, float factor, size_t rows, size_t width, float *out);

// sums[c] = the sum of column c of x, row after row.
void highland_sum_rows_to_double(const float *x, size_t rows, size_t width, double *sums);

// sums[c] += the sum of (x - mean[c])^2 over column c.
void highland_add_squares(const float *x, const float *mean, size_t rows, size_t width, float *sums);

// out = (x - mean[c]) * slope[c] + shift[c].
void highland_normalize(const float *x, const float *mean, const float *slope, const float *shift,
                        size_t rows, size_t width, float *out);

// sums[c] += column c of g; products[c] += the sum of g * (x - mean[c]).
void highland_add_normalization_sums(const float *g, const float *x, const float *mean, size_t rows,
                                     size_t width, float *sums, float *products);

// g = a[c] * g + b[c] * x + d[c].
void highland_normalization_gradient(float *g, const float *x, const float *a, const float *b,
                                     const float *d, size_t rows, size_t width);
