#include "stored.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "vectors.h"

typedef uint16_t __attribute__((may_alias)) half_bits;

static inline __attribute__((always_inline)) float from_half(uint16_t half) {
  // The exponents are biased by 15 and 127; the product is exact, for subnormals too.
  uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
  float finite;
  memcpy(&finite, &bits, sizeof finite);
  finite *= 0x1p112f;
  uint32_t wide;
  memcpy(&wide, &finite, sizeof wide);
  wide = (half & 0x7c00) == 0x7c00 ? bits | 0x7f800000u : wide;
  wide |= (uint32_t)(half & 0x8000) << 16;
  memcpy(&finite, &wide, sizeof finite);
  return finite;
}

static inline __attribute__((always_inline)) float from_brain(uint16_t brain) {
  uint32_t bits = (uint32_t)brain << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline __attribute__((always_inline)) float element(const float *row, int32_t type,
                                                           size_t column) {
  switch (type) {
    case highland_float16: return from_half(((const half_bits *)row)[column]);
    case highland_bfloat16: return from_brain(((const half_bits *)row)[column]);
    case highland_int8: return ((const int8_t *)row)[column];
    case highland_uint8: return ((const uint8_t *)row)[column];
    default: return row[column];
  }
}

static double norm_of(const float *row, int32_t type, size_t width) {
  double squares = 0;
  for (size_t c = 0; c < width; c++) {
    double value = element(row, type, c);
    squares += value * value;  // the product is exact
  }
  return sqrt(squares);
}

float highland_measure_row(const float *row, int32_t type, size_t width, double *norm) {
  float largest = 0;
  int is_finite = 1;
  for (size_t c = 0; c < width; c++) {
    float magnitude = fabsf(element(row, type, c));
    is_finite &= magnitude <= FLT_MAX;
    if (magnitude > largest) largest = magnitude;
  }
  *norm = norm_of(row, type, width);
  return is_finite ? largest : 0;
}

static inline __attribute__((always_inline)) void widen(const float *row, int32_t type,
                                                        size_t width, float norm, float *out) {
  for (size_t c = 0; c < width; c++) out[c] = element(row, type, c) / norm;
}

static inline __attribute__((always_inline)) void widen_row(const float *row, size_t stride,
                                                            int32_t type, size_t width,
                                                            float *out) {
  float norm = row[stride - 1];
  if (norm < FLT_MIN || !(norm <= FLT_MAX)) {
    if (norm == 0) {
      for (size_t c = 0; c < width; c++) out[c] = element(row, type, c);
      return;
    }
    double exact = norm_of(row, type, width);
    for (size_t c = 0; c < width; c++) out[c] = (float)(element(row, type, c) / exact);
    return;
  }
  switch (type) {
    case highland_float16: widen(row, highland_float16, width, norm, out); break;
    case highland_bfloat16: widen(row, highland_bfloat16, width, norm, out); break;
    case highland_int8: widen(row, highland_int8, width, norm, out); break;
    case highland_uint8: widen(row, highland_uint8, width, norm, out); break;
    default: widen(row, highland_float32, width, norm, out); break;
  }
}

HIGHLAND_DISPATCHED(void, highland_widen_rows, (const float *words, size_t stride, int32_t type,
    const int32_t *rows, size_t count, size_t width, float *out), (words, stride, type, rows,
    count, width, out)) {
  for (size_t i = 0; i < count; i++) {
    widen_row(words + stride * (rows ? (size_t)rows[i] : i), stride, type, width, out + i * width);
  }
}

HIGHLAND_DISPATCHED(void, highland_gather_short_rows, (const float *own, size_t own_count, const
    float *guests, size_t stride, int32_t type, const int32_t *rows, size_t count, size_t width,
    const float *values, float *out), (own, own_count, guests, stride, type, rows, count, width,
    values, out)) {
  enum { ahead = 8, line = 16 };
  for (size_t i = 0; i < count + ahead; i++) {
    if (i < count) {
      size_t row = (size_t)rows[i];
      int is_own = row < own_count;
      const float *from = is_own ? own + row * stride : guests + (row - own_count) * stride;
      for (size_t c = 0; c < stride; c += line) __builtin_prefetch(from + c);
      if (is_own) __builtin_prefetch(values + row, 1);
    }
    if (i < ahead) continue;
    size_t row = (size_t)rows[i - ahead];
    const float *from = row < own_count ? own + row * stride : guests + (row - own_count) * stride;
    widen_row(from, stride, type, width, out + (i - ahead) * width);
  }
}
