#include "neighbors.h"

#include "vectors.h"

// Whether candidate a comes before candidate b in every list.
static inline int precedes(float a, int64_t a_index, float b, int64_t b_index) {
  return a > b || (a == b && a_index < b_index);
}

// Puts a candidate in place of the first of a heap, unless it comes after that.
static void offer_to_heap(float similarity, int64_t index, size_t capacity, float *values,
                          int64_t *names) {
  if (!precedes(similarity, index, values[0], names[0])) return;
  size_t place = 0;
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= capacity) break;
    if (child + 1 < capacity &&
        precedes(values[child], names[child], values[child + 1], names[child + 1]))
      child++;
    if (!precedes(similarity, index, values[child], names[child])) break;
    values[place] = values[child];
    names[place] = names[child];
    place = child;
  }
  values[place] = similarity;
  names[place] = index;
}

void highland_offer(float similarity, int64_t index, size_t row, highland_lists lists) {
  if (lists.capacity == 0) return;
  float *values = lists.similarity + row * lists.capacity;
  int64_t *names = lists.index + row * lists.capacity;
  if (lists.capacity > highland_sorted_capacity) {
    offer_to_heap(similarity, index, lists.capacity, values, names);
    if (values[0] > lists.bound[row]) lists.bound[row] = values[0];
    return;
  }
  size_t place = lists.capacity - 1;
  if (!precedes(similarity, index, values[place], names[place])) return;
  while (place > 0 && precedes(similarity, index, values[place - 1], names[place - 1])) {
    values[place] = values[place - 1];
    names[place] = names[place - 1];
    place--;
  }
  values[place] = similarity;
  names[place] = index;
  float last = values[lists.capacity - 1];
  if (last > lists.bound[row]) lists.bound[row] = last;
}

HIGHLAND_DISPATCHED(void, highland_offer_to_rows, (const float *scores, size_t stride, size_t
    rows, size_t columns, const int64_t *row_names, const int64_t *column_names, highland_lists
    lists), (scores, stride, rows, columns, row_names, column_names, lists)) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    int64_t own = row_names[i];
    float bound = lists.bound[i];
    size_t j = 0;
    for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
      uint64_t hits = 0;
      for (size_t v = 0; v < 4; v++) {
        size_t first = j + v * highland_lane_count;
        highland_lanes score = *(const highland_lanes *)(row + first);
        hits |= (uint64_t)highland_bits_of(score >= bound) << (v * highland_lane_count);
      }
      for (; hits; hits &= hits - 1) {
        size_t column = j + (size_t)__builtin_ctzll(hits);
        int64_t name = column_names[column];
        if (name != own) highland_offer(row[column], name, i, lists);
        bound = lists.bound[i];
      }
    }
    for (; j < columns; j++) {
      int64_t name = column_names[j];
      if (row[j] >= lists.bound[i] && name != own) highland_offer(row[j], name, i, lists);
    }
  }
}

HIGHLAND_DISPATCHED(void, highland_offer_to_columns, (const float *scores, size_t stride, size_t
    rows, size_t columns, const int64_t *row_names, highland_lists lists), (scores, stride, rows,
    columns, row_names, lists)) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    int64_t name = row_names[i];
    size_t j = 0;
    for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
      uint64_t hits = 0;
      for (size_t v = 0; v < 4; v++) {
        size_t first = j + v * highland_lane_count;
        highland_lanes score = *(const highland_lanes *)(row + first);
        highland_lanes bound = *(const highland_lanes *)(lists.bound + first);
        hits |= (uint64_t)highland_bits_of(score >= bound) << (v * highland_lane_count);
      }
      for (; hits; hits &= hits - 1) {
        size_t column = j + (size_t)__builtin_ctzll(hits);
        highland_offer(row[column], name, column, lists);
      }
    }
    for (; j < columns; j++)
      if (row[j] >= lists.bound[j]) highland_offer(row[j], name, j, lists);
  }
}

// One lane takes every sixteenth column; the lanes are added one after the other.
static inline __attribute__((always_inline)) float refined(float score, const float *x,
                                                           const float *y, size_t depth) {
  float sign = score < 0 ? 1 : -1;
  highland_lanes sum = {0};
  size_t c = 0;
  for (; c + highland_lane_count <= depth; c += highland_lane_count) {
    highland_lanes a = *(const highland_lanes *)(x + c);
    highland_lanes b = *(const highland_lanes *)(y + c);
    highland_lanes d = a + sign * b;
    sum = highland_fma(d, d, sum);
  }
  for (size_t lane = 0; c < depth; c++, lane++) {
    float d = x[c] + sign * y[c];
    sum[lane] = __builtin_fmaf(d, d, sum[lane]);
  }
  float squares = 0;
  for (size_t lane = 0; lane < highland_lane_count; lane++) squares += sum[lane];
  float half = squares / 2;
  return score < 0 ? half - 1 : 1 - half;
}

HIGHLAND_DISPATCHED(void, highland_refine_similarities, (float *scores, size_t stride, size_t
    rows, size_t columns, const float *x, const float *y, size_t depth, float limit), (scores,
    stride, rows, columns, x, y, depth, limit)) {
  for (size_t i = 0; i < rows; i++) {
    float *row = scores + i * stride;
    size_t j = 0;
    for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
      uint64_t hits = 0;
      for (size_t v = 0; v < 4; v++) {
        size_t first = j + v * highland_lane_count;
        highland_lanes score = *(const highland_lanes *)(row + first);
        highland_mask close = (score >= limit) | (score <= -limit);
        hits |= (uint64_t)highland_bits_of(close) << (v * highland_lane_count);
      }
      for (; hits; hits &= hits - 1) {
        size_t column = j + (size_t)__builtin_ctzll(hits);
        row[column] = refined(row[column], x + i * depth, y + column * depth, depth);
      }
    }
    for (; j < columns; j++)
      if (row[j] >= limit || row[j] <= -limit)
        row[j] = refined(row[j], x + i * depth, y + j * depth, depth);
  }
}
