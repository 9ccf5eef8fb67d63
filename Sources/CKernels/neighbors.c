#include "neighbors.h"

#include <string.h>

#include "vectors.h"

// Whether candidate a comes before candidate b in every list.
static inline int precedes(float a, int64_t a_index, float b, int64_t b_index) {
  return a > b || (a == b && a_index < b_index);
}

void highland_offer(float similarity, int64_t index, size_t row, highland_lists lists) {
  if (lists.capacity == 0) return;
  float *values = lists.similarity + row * lists.capacity;
  int64_t *names = lists.index + row * lists.capacity;
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

// One bit per lane, from a comparison. A macro: vectors do not pass between functions portably.
typedef _Bool lane_bits __attribute__((ext_vector_type(highland_lane_count)));
#define bits_of(mask) ({                                            \
  lane_bits bits_ = __builtin_convertvector((mask), lane_bits);     \
  uint16_t word_;                                                   \
  memcpy(&word_, &bits_, sizeof word_);                             \
  (uint32_t) word_;                                                 \
})

HIGHLAND_DISPATCHED
void highland_offer_to_rows(const float *scores, size_t stride, size_t rows, size_t columns,
                            int64_t first_row, int64_t first_column, highland_lists lists) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    int64_t own = first_row + (int64_t)i;
    float bound = lists.bound[i];
    size_t j = 0;
    for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
      uint64_t hits = 0;
      for (size_t v = 0; v < 4; v++) {
        size_t first = j + v * highland_lane_count;
        highland_lanes score = *(const highland_lanes *)(row + first);
        hits |= (uint64_t)bits_of(score >= bound) << (v * highland_lane_count);
      }
      for (; hits; hits &= hits - 1) {
        size_t column = j + (size_t)__builtin_ctzll(hits);
        int64_t name = first_column + (int64_t)column;
        if (name != own) highland_offer(row[column], name, i, lists);
        bound = lists.bound[i];
      }
    }
    for (; j < columns; j++) {
      int64_t name = first_column + (int64_t)j;
      if (row[j] >= lists.bound[i] && name != own) highland_offer(row[j], name, i, lists);
    }
  }
}

HIGHLAND_DISPATCHED
void highland_offer_to_columns(const float *scores, size_t stride, size_t rows, size_t columns,
                               int64_t first_row, highland_lists lists) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    int64_t name = first_row + (int64_t)i;
    size_t j = 0;
    for (; j + 4 * highland_lane_count <= columns; j += 4 * highland_lane_count) {
      uint64_t hits = 0;
      for (size_t v = 0; v < 4; v++) {
        size_t first = j + v * highland_lane_count;
        highland_lanes score = *(const highland_lanes *)(row + first);
        highland_lanes bound = *(const highland_lanes *)(lists.bound + first);
        hits |= (uint64_t)bits_of(score >= bound) << (v * highland_lane_count);
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
