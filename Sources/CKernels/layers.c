#include "layers.h"

#include <string.h>

#include "vectors.h"

static inline const float *row_of(highland_local_rows x, int32_t node) {
  size_t place = (size_t)node;
  return place < x.owned_count ? x.owned + place * x.owned_stride
                               : x.ghosts + (place - x.owned_count) * x.ghost_stride;
}

// One row's sum over up to four vectors of columns, kept in registers over all edges.
static inline __attribute__((always_inline)) void sum_block(
    const int32_t *source, const float *weight, size_t step, size_t edges, highland_local_rows x, size_t column,
    size_t vectors, float *out) {
  highland_lanes sum[4] = {{0}, {0}, {0}, {0}};
  for (size_t e = 0; e < edges; e++) {
    const float *from = row_of(x, source[e]) + column;
    highland_lanes w = (highland_lanes){0} + weight[e * step];
    for (size_t v = 0; v < vectors; v++)
      sum[v] = highland_fma(w, *(const highland_lanes *)(from + v * highland_lane_count), sum[v]);
  }
  for (size_t v = 0; v < vectors; v++)
    *(highland_lanes *)(out + column + v * highland_lane_count) = sum[v];
}

HIGHLAND_DISPATCHED(void, highland_weighted_sums, (const int64_t *offset, size_t row_count, const
    int32_t *source, const float *weight, highland_local_rows x, size_t width, float *out, size_t
    out_stride), (offset, row_count, source, weight, x, width, out, out_stride)) {
  static const float one = 1;
  const size_t step = weight ? 1 : 0;
  for (size_t i = 0; i < row_count; i++) {
    const int32_t *from = source + offset[i];
    const float *w = weight ? weight + offset[i] : &one;
    size_t edges = (size_t)(offset[i + 1] - offset[i]);
    float *to = out + i * out_stride;
    size_t column = 0;
    for (; column + 4 * highland_lane_count <= width; column += 4 * highland_lane_count)
      sum_block(from, w, step, edges, x, column, 4, to);
    for (; column + 2 * highland_lane_count <= width; column += 2 * highland_lane_count)
      sum_block(from, w, step, edges, x, column, 2, to);
    for (; column + highland_lane_count <= width; column += highland_lane_count)
      sum_block(from, w, step, edges, x, column, 1, to);
    for (; column < width; column++) {
      float sum = 0;
      for (size_t e = 0; e < edges; e++)
        sum = __builtin_fmaf(w[e * step], row_of(x, from[e])[column], sum);
      to[column] = sum;
    }
  }
}

HIGHLAND_DISPATCHED(void, highland_rectify, (float *x, size_t stride, size_t rows, size_t width),
    (x, stride, rows, width)) {
  for (size_t i = 0; i < rows; i++) {
    float *row = x + i * stride;
    for (size_t c = 0; c < width; c++) row[c] = row[c] > 0 ? row[c] : 0;
  }
}

HIGHLAND_DISPATCHED(void, highland_add, (const float *x, size_t x_stride, float *y, size_t
    y_stride, size_t rows, size_t width), (x, x_stride, y, y_stride, rows, width)) {
  for (size_t i = 0; i < rows; i++) {
    const float *from = x + i * x_stride;
    float *to = y + i * y_stride;
    for (size_t c = 0; c < width; c++) to[c] += from[c];
  }
}

HIGHLAND_DISPATCHED(void, highland_edge_inputs, (const int32_t *source, const int32_t
    *destination, size_t edges, const float *u, size_t u_stride, const float *t, size_t t_stride,
    const float *slope, size_t width, float *out), (source, destination, edges, u, u_stride, t,
    t_stride, slope, width, out)) {
  enum { ahead = 8 };
  for (size_t e = 0; e < edges; e++) {
    if (e + ahead < edges) {
      const float *later = u + (size_t)source[e + ahead] * u_stride;
      for (size_t c = 0; c < width; c += highland_lane_count) __builtin_prefetch(later + c);
    }
    const float *a = u + (size_t)source[e] * u_stride;
    const float *b = t + (size_t)destination[e] * t_stride;
    float *to = out + e * width;
    for (size_t c = 0; c < width; c++) {
      float x = a[c] + b[c];
      to[c] = x > 0 ? x : slope[c] * x;
    }
  }
}

// The lanes of a vector, added pairwise: 0 with 8, 1 with 9, ...; then 0 with 4, ...
static inline float sum_of_lanes(const highland_lanes *x) {
  float lane[highland_lane_count];
  memcpy(lane, x, sizeof lane);
  for (size_t half = highland_lane_count / 2; half > 0; half /= 2)
    for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0];
}

HIGHLAND_DISPATCHED(void, highland_edge_outputs, (const float *x, size_t edges, const float
    *slope, const float *weight, float bias, size_t width, float *out), (x, edges, slope, weight,
    bias, width, out)) {
  for (size_t e = 0; e < edges; e++) {
    const float *row = x + e * width;
    highland_lanes sum = {0};
    size_t c = 0;
    for (; c + highland_lane_count <= width; c += highland_lane_count) {
      highland_lanes a = *(const highland_lanes *)(row + c);
      highland_lanes b = a * *(const highland_lanes *)(slope + c);
      highland_mask positive = a > 0;
      highland_lanes y = (highland_lanes)((positive & (highland_mask)a) |
                                          (~positive & (highland_mask)b));
      sum = highland_fma(y, *(const highland_lanes *)(weight + c), sum);
    }
    for (size_t l = 0; c < width; c++, l++) {
      float y = row[c] > 0 ? row[c] : slope[c] * row[c];
      sum[l] = __builtin_fmaf(y, weight[c], sum[l]);
    }
    out[e] = sum_of_lanes(&sum) + bias;
  }
}
