// Kernels of graph layers and of the edge decoder.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Rows of local nodes: those below owned_count at `owned`, the others at `ghosts`.
typedef struct {
  const float *owned;
  size_t owned_stride;
  size_t owned_count;
  const float *ghosts;
  size_t ghost_stride;
} highland_local_rows;

// out[i] = sum over the edges e of row i of weight[e] * x[source[e]], in edge order, each output
// one chain of fused multiply-adds; a weight of NULL is 1 for all. Rows i = 0 ..< row_count have edges offset[i] ..< offset[i+1].
void highland_weighted_sums(const int64_t *offset, size_t row_count, const int32_t *source,
                            const float *weight, highland_local_rows x, size_t width, float *out,
                            size_t out_stride);

// x = max(x, 0), over rows of `width`.
void highland_rectify(float *x, size_t stride, size_t rows, size_t width);

// y += x, over rows of `width`.
void highland_add(const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows,
                  size_t width);

// out[e] = prelu(u[source[e]] + t[destination[e]]), a slope per channel.
void highland_edge_inputs(const int32_t *source, const int32_t *destination, size_t edges,
                          const float *u, size_t u_stride, const float *t, size_t t_stride,
                          const float *slope, size_t width, float *out);

// out[e] = bias + sum over channels of weight[c] * prelu(x[e][c]): sixteen running sums over
// c mod 16, then added pairwise.
void highland_edge_outputs(const float *x, size_t edges, const float *slope, const float *weight,
                           float bias, size_t width, float *out);
