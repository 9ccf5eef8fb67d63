#include "cells.h"

#include <math.h>
#include <string.h>

#include "vectors.h"

void highland_gather_rows(const float *own, size_t own_count, const float *guests,
                          const int32_t *rows, size_t count, size_t width, highland_lists lists,
                          float *out) {
  // A line of memory holds sixteen floats. Long lists are fetched in part: a candidate goes to few places.
  enum { ahead = 8, line = 16, most = 32 };
  const size_t places = lists.capacity < most ? lists.capacity : most;
  for (size_t i = 0; i < count + ahead; i++) {
    if (i < count) {
      size_t row = (size_t)rows[i];
      int is_own = row < own_count;
      const float *from = is_own ? own + row * width : guests + (row - own_count) * width;
      for (size_t c = 0; c < width; c += line) __builtin_prefetch(from + c);
      if (is_own) {
        const float *similarity = lists.similarity + row * lists.capacity;
        const int64_t *index = lists.index + row * lists.capacity;
        __builtin_prefetch(lists.bound + row, 1);
        for (size_t c = 0; c < places; c += line) __builtin_prefetch(similarity + c, 1);
        for (size_t c = 0; c < places; c += line / 2) __builtin_prefetch(index + c, 1);
      }
    }
    if (i < ahead) continue;
    size_t row = (size_t)rows[i - ahead];
    const float *from = row < own_count ? own + row * width : guests + (row - own_count) * width;
    memcpy(out + (i - ahead) * width, from, width * sizeof(float));
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

HIGHLAND_DISPATCHED(float, highland_reached_score, (const float *scores, size_t columns, size_t
    capacity), (scores, columns, capacity)) {
  size_t groups = 1;
  while (groups * highland_lane_count < 2 * capacity) groups *= 2;
  if (capacity == 0 || groups > 8 || columns < groups * highland_lane_count) return -__builtin_inff();
  return groups == 1   ? reached(scores, columns, capacity, 1)
         : groups == 2 ? reached(scores, columns, capacity, 2)
         : groups == 4 ? reached(scores, columns, capacity, 4)
                       : reached(scores, columns, capacity, 8);
}

// Whether a candidate is in a list.
static inline int holds(highland_lists lists, size_t row, float similarity, int64_t index) {
  const float *values = lists.similarity + row * lists.capacity;
  const int64_t *names = lists.index + row * lists.capacity;
  for (size_t place = 0; place < lists.capacity; place++) {
    if (values[place] == similarity && names[place] == index) return 1;
  }
  return 0;
}

HIGHLAND_DISPATCHED(void, highland_offer_scores, (const float *scores, size_t columns, int64_t
    own, const int64_t *names, size_t row, highland_lists lists), (scores, columns, own, names,
    row, lists)) {
  float bound = lists.bound[row];
  size_t j = 0;
  for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
    uint64_t hits = 0;
    for (size_t v = 0; v < 4; v++) {
      highland_lanes score = *(const highland_lanes *)(scores + j + v * highland_lane_count);
      hits |= (uint64_t)highland_bits_of(score >= bound) << (v * highland_lane_count);
    }
    for (; hits; hits &= hits - 1) {
      size_t column = j + (size_t)__builtin_ctzll(hits);
      if (scores[column] < lists.bound[row] || names[column] == own) continue;
      if (!holds(lists, row, scores[column], names[column]))
        highland_offer(scores[column], names[column], row, lists);
    }
    bound = lists.bound[row];
  }
  for (; j < columns; j++) {
    if (scores[j] < lists.bound[row] || names[j] == own) continue;
    if (!holds(lists, row, scores[j], names[j])) highland_offer(scores[j], names[j], row, lists);
  }
}

void highland_offer_new(const float *similarity, const int64_t *index, size_t count, size_t row,
                        highland_lists lists) {
  for (size_t c = 0; c < count; c++) {
    if (index[c] < 0 || similarity[c] < lists.bound[row]) continue;
    if (!holds(lists, row, similarity[c], index[c])) highland_offer(similarity[c], index[c], row, lists);
  }
}

// Lanes are added one after the other, so that the bits are the same on all processors.
HIGHLAND_DISPATCHED(void, highland_border_distances, (const float *centers, size_t width, const
    int64_t *cells, const float *similarity, size_t count, float *distance), (centers, width,
    cells, similarity, count, distance)) {
  for (size_t j = 0; j < count; j++) {
    if (cells[j] < 0) {
      distance[j] = __builtin_inff();
      continue;
    }
    const float *a = centers + (size_t)cells[0] * width;
    const float *b = centers + (size_t)cells[j] * width;
    highland_lanes sum = {0};
    size_t c = 0;
    for (; c + highland_lane_count <= width; c += highland_lane_count) {
      highland_lanes d = *(const highland_lanes *)(a + c) - *(const highland_lanes *)(b + c);
      sum = highland_fma(d, d, sum);
    }
    for (size_t lane = 0; c < width; c++, lane++) {
      float d = a[c] - b[c];
      sum[lane] = __builtin_fmaf(d, d, sum[lane]);
    }
    float squares = 0;
    for (size_t lane = 0; lane < highland_lane_count; lane++) squares += sum[lane];
    distance[j] = squares > 0 ? (similarity[0] - similarity[j]) / sqrtf(squares) : 0;
  }
}
