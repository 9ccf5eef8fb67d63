#include "rows.h"

#include "vectors.h"

// The loops over columns are the compiler's to vectorise; every multiply-add is fused by name, so that
// the bits do not depend on its choice.
#define fused(a, b, c) __builtin_fmaf(a, b, c)

HIGHLAND_DISPATCHED
void highland_add_column_sums(const float *x, size_t rows, size_t width, float *restrict sums) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) sums[c] += x[i * width + c];
}

HIGHLAND_DISPATCHED
void highland_rectified_gradient(const float *g, const float *y, size_t rows, size_t width,
                                 float *restrict out, float *restrict sums) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float passed = y[i * width + c] > 0 ? g[i * width + c] : 0;
      out[i * width + c] = passed;
      sums[c] += passed;
    }
}

HIGHLAND_DISPATCHED
void highland_add_squares(const float *x, const float *mean, size_t rows, size_t width,
                          float *restrict sums) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float distance = x[i * width + c] - mean[c];
      sums[c] = fused(distance, distance, sums[c]);
    }
}

HIGHLAND_DISPATCHED
void highland_normalize(const float *x, const float *mean, const float *slope, const float *shift,
                        size_t rows, size_t width, float *restrict out) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++)
      out[i * width + c] = fused(x[i * width + c] - mean[c], slope[c], shift[c]);
}

HIGHLAND_DISPATCHED
void highland_add_normalization_sums(const float *g, const float *x, const float *mean, size_t rows,
                                     size_t width, float *restrict sums, float *restrict products) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float gradient = g[i * width + c];
      sums[c] += gradient;
      products[c] = fused(gradient, x[i * width + c] - mean[c], products[c]);
    }
}

HIGHLAND_DISPATCHED
void highland_normalization_gradient(const float *g, const float *x, const float *a, const float *b,
                                     const float *d, size_t rows, size_t width,
                                     float *restrict out) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++)
      out[i * width + c] = fused(a[c], g[i * width + c], fused(b[c], x[i * width + c], d[c]));
}
