#include "rows.h"

#include "vectors.h"

// The loops over columns are the compiler's to vectorise; every multiply-add is fused by name, so that
// the bits do not depend on its choice.
#define fused(a, b, c) __builtin_fmaf(a, b, c)

HIGHLAND_DISPATCHED(void, highland_add_column_sums, (const float *x, size_t rows, size_t width,
    float *restrict sums), (x, rows, width, sums)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) sums[c] += x[i * width + c];
}

HIGHLAND_DISPATCHED(void, highland_rectify_gradient, (float *restrict g, const float *restrict y,
    size_t rows, size_t width, float *restrict sums), (g, y, rows, width, sums)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float passed = y[i * width + c] > 0 ? g[i * width + c] : 0;
      g[i * width + c] = passed;
      sums[c] += passed;
    }
}

HIGHLAND_DISPATCHED(void, highland_spread_row, (const float *row, float factor, size_t rows,
    size_t width, float *restrict out), (row, factor, rows, width, out)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) out[i * width + c] = factor * row[c];
}

HIGHLAND_DISPATCHED(void, highland_sum_rows_to_double, (const float *x, size_t rows, size_t
    width, double *restrict sums), (x, rows, width, sums)) {
  enum { block = 64 };  // sums in registers over all rows
  size_t first = 0;
  for (; first + block <= width; first += block) {
    double sum[block] = {0};
    for (size_t i = 0; i < rows; i++)
      for (size_t c = 0; c < block; c++) sum[c] += (double)x[i * width + first + c];
    for (size_t c = 0; c < block; c++) sums[first + c] = sum[c];
  }
  for (; first < width; first++) {
    double sum = 0;
    for (size_t i = 0; i < rows; i++) sum += (double)x[i * width + first];
    sums[first] = sum;
  }
}

HIGHLAND_DISPATCHED(void, highland_add_squares, (const float *x, const float *mean, size_t rows,
    size_t width, float *restrict sums), (x, mean, rows, width, sums)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float distance = x[i * width + c] - mean[c];
      sums[c] = fused(distance, distance, sums[c]);
    }
}

HIGHLAND_DISPATCHED(void, highland_normalize, (const float *x, const float *mean, const float
    *slope, const float *shift, size_t rows, size_t width, float *restrict out), (x, mean, slope,
    shift, rows, width, out)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++)
      out[i * width + c] = fused(x[i * width + c] - mean[c], slope[c], shift[c]);
}

HIGHLAND_DISPATCHED(void, highland_add_normalization_sums, (const float *g, const float *x, const
    float *mean, size_t rows, size_t width, float *restrict sums, float *restrict products), (g,
    x, mean, rows, width, sums, products)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++) {
      float gradient = g[i * width + c];
      sums[c] += gradient;
      products[c] = fused(gradient, x[i * width + c] - mean[c], products[c]);
    }
}

HIGHLAND_DISPATCHED(void, highland_normalization_gradient, (float *restrict g, const float
    *restrict x, const float *a, const float *b, const float *d, size_t rows, size_t width), (g,
    x, a, b, d, rows, width)) {
  for (size_t i = 0; i < rows; i++)
    for (size_t c = 0; c < width; c++)
      g[i * width + c] = fused(a[c], g[i * width + c], fused(b[c], x[i * width + c], d[c]));
}
