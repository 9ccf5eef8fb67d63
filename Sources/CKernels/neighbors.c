#include "neighbors.h"
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

// Whether a comparison holds in some lane. A macro: vectors do not pass between functions portably.
#define any_lane(mask) (__builtin_reduce_or(mask) != 0)

HIGHLAND_DISPATCHED
void highland_offer_to_rows(const float *scores, size_t stride, size_t rows, size_t columns,
                            int64_t first_row, int64_t first_column, highland_lists lists) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * stride;
    int64_t own = first_row + (int64_t)i;
    size_t j = 0;
    for (; j + 2 * highland_lane_count <= columns; j += 2 * highland_lane_count) {
      highland_lanes a = *(const highland_lanes *)(row + j);
      highland_lanes b = *(const highland_lanes *)(row + j + highland_lane_count);
      float bound = lists.bound[i];
      if (!any_lane((a >= bound) | (b >= bound))) continue;
      for (size_t l = j; l < j + 2 * highland_lane_count; l++) {
        int64_t name = first_column + (int64_t)l;
        if (row[l] >= lists.bound[i] && name != own) highland_offer(row[l], name, i, lists);
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
    for (; j + highland_lane_count <= columns; j += highland_lane_count) {
      highland_lanes a = *(const highland_lanes *)(row + j);
      highland_lanes bound = *(const highland_lanes *)(lists.bound + j);
      if (!any_lane(a >= bound)) continue;
      for (size_t l = j; l < j + highland_lane_count; l++)
        if (row[l] >= lists.bound[l]) highland_offer(row[l], name, l, lists);
    }
    for (; j < columns; j++)
      if (row[j] >= lists.bound[j]) highland_offer(row[j], name, j, lists);
  }
}
