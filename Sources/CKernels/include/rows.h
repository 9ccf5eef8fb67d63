// Kernels over rows of dense matrices, in training: `rows` rows of `width` floats, one after the other.
#pragma once
#include <stddef.h>

// sums[c] += column c of x.
void highland_add_column_sums(const float *x, size_t rows, size_t width, float *sums);

// out = y > 0 ? g : 0, and sums[c] += column c of out: the gradient of max(0, .) by its result y.
void highland_rectified_gradient(const float *g, const float *y, size_t rows, size_t width, float *out,
                                 float *sums);

// sums[c] += the sum of (x - mean[c])^2 over column c.
void highland_add_squares(const float *x, const float *mean, size_t rows, size_t width, float *sums);

// out = (x - mean[c]) * slope[c] + shift[c].
void highland_normalize(const float *x, const float *mean, const float *slope, const float *shift,
                        size_t rows, size_t width, float *out);

// sums[c] += column c of g; products[c] += the sum of g * (x - mean[c]).
void highland_add_normalization_sums(const float *g, const float *x, const float *mean, size_t rows,
                                     size_t width, float *sums, float *products);

// out = a[c] * g + b[c] * x + d[c].
void highland_normalization_gradient(const float *g, const float *x, const float *a, const float *b,
                                     const float *d, size_t rows, size_t width, float *out);
