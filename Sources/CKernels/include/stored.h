// Rows of short numbers, kept as they are stored.
#pragma once
#include <stddef.h>
#include <stdint.h>

// How the numbers of a row are stored. A row of others than float32 takes whole floats' places: its numbers, up to
// three bytes of zeros, and, in the last place, its norm; 0 for a row without direction.
enum {
  highland_float32 = 0,
  highland_float16 = 1,
  highland_bfloat16 = 2,
  highland_int8 = 3,
  highland_uint8 = 4,
  highland_float32_with_norm = 5
};

// The largest magnitude of a row of short numbers, 0 if one of them is not finite; and the square root of
// the sum of their squares, added up in order in double precision.
float highland_measure_row(const float *row, int32_t type, size_t width, double *norm);

// Unit rows of float32 from rows of short numbers: widened, and divided by their norms. Row i is at
// `words + stride * (rows ? rows[i] : i)`.
void highland_widen_rows(const float *words, size_t stride, int32_t type, const int32_t *rows,
                         size_t count, size_t width, float *out);

// The same as `highland_gather_rows` of rows of short numbers.
void highland_gather_short_rows(const float *own, size_t own_count, const float *guests,
                                size_t stride, int32_t type, const int32_t *rows, size_t count,
                                size_t width, const float *values, float *out);
