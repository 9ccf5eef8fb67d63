#include "cells.h"

#include "vectors.h"

HIGHLAND_DISPATCHED
void highland_transpose(const float *x, size_t x_stride, size_t rows, size_t columns, float *out,
                        size_t out_stride) {
  enum { side = 16 };
  for (size_t i = 0; i < rows; i += side) {
    size_t height = rows - i < side ? rows - i : side;
    for (size_t j = 0; j < columns; j += side) {
      size_t width = columns - j < side ? columns - j : side;
      const float *from = x + i * x_stride + j;
      float *to = out + j * out_stride + i;
      if (height == side && width == side) {
        for (size_t b = 0; b < side; b++)
          for (size_t a = 0; a < side; a++) to[b * out_stride + a] = from[a * x_stride + b];
      } else {
        for (size_t b = 0; b < width; b++)
          for (size_t a = 0; a < height; a++) to[b * out_stride + a] = from[a * x_stride + b];
      }
    }
  }
}

// The capacity-th largest of the maxima of `groups` vectors' lanes; `groups` is a constant where this
// is inlined.
static inline __attribute__((always_inline)) float reached(const float *row, size_t columns,
                                                           size_t capacity, const size_t groups) {
  highland_lanes top[8];
  for (size_t g = 0; g < groups; g++) top[g] = *(const highland_lanes *)(row + g * highland_lane_count);
  const size_t step = groups * highland_lane_count;
  for (size_t j = step; j + step <= columns; j += step) {
    for (size_t g = 0; g < groups; g++) {
      highland_lanes score = *(const highland_lanes *)(row + j + g * highland_lane_count);
      top[g] = __builtin_elementwise_max(score, top[g]);
    }
  }
  // How many maxima are greater than each.
  highland_mask greater[8] = {0};
  for (size_t g = 0; g < groups; g++) {
    for (size_t lane = 0; lane < highland_lane_count; lane++) {
      highland_lanes other = (highland_lanes){0} + top[g][lane];
      for (size_t h = 0; h < groups; h++) greater[h] -= other > top[h];
    }
  }
  float value = __builtin_inff();
  for (size_t g = 0; g < groups; g++) {
    for (size_t lane = 0; lane < highland_lane_count; lane++) {
      if ((size_t)greater[g][lane] < capacity && top[g][lane] < value) value = top[g][lane];
    }
  }
  return value;
}

HIGHLAND_DISPATCHED
void highland_raise_bounds(const float *scores, size_t stride, size_t rows, size_t columns,
                           size_t capacity, float *bound) {
  size_t groups = 1;
  while (groups * highland_lane_count < 2 * capacity) groups *= 2;
  if (capacity == 0 || groups > 8 || columns < groups * highland_lane_count) return;
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    float value = groups == 1   ? reached(row, columns, capacity, 1)
                  : groups == 2 ? reached(row, columns, capacity, 2)
                  : groups == 4 ? reached(row, columns, capacity, 4)
                                : reached(row, columns, capacity, 8);
    if (value > bound[i]) bound[i] = value;
  }
}

void highland_offer_new(const float *similarity, const int64_t *index, size_t count, size_t row,
                        highland_lists lists) {
  const float *values = lists.similarity + row * lists.capacity;
  const int64_t *names = lists.index + row * lists.capacity;
  for (size_t c = 0; c < count; c++) {
    if (index[c] < 0 || similarity[c] < lists.bound[row]) continue;
    size_t place = 0;
    while (place < lists.capacity && (names[place] != index[c] || values[place] != similarity[c])) place++;
    if (place == lists.capacity) highland_offer(similarity[c], index[c], row, lists);
  }
}
