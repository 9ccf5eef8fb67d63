#include "pooling.h"

#include <string.h>

#include "vectors.h"

// Vectors are passed by pointer: by value, what is passed depends on the instruction set.
#define ALWAYS static inline __attribute__((always_inline))

#define all_lanes(x) ((highland_lanes){0} + (x))
#define fma_lanes(a, b, c) highland_fma(a, b, all_lanes(c))

ALWAYS void choose(const highland_mask *where, const highland_lanes *a, highland_lanes *b) {
  *b = (highland_lanes)((*where & (highland_mask)*a) | (~*where & (highland_mask)*b));
}

// exp, for arguments up to 88: 2^n times a polynomial in what is left [coefficients of Cephes' expf].
ALWAYS void exponential(highland_lanes *argument) {
  highland_lanes x = all_lanes(-87.3f);
  highland_mask isOrdinary = *argument > x;
  choose(&isOrdinary, argument, &x);
  const highland_lanes shift = all_lanes(12582912.0f);  // rounds to an integer
  highland_lanes n = highland_fma(x, all_lanes(1.44269504088896341f), shift) - shift;
  highland_lanes r = highland_fma(n, all_lanes(-0.693359375f), x);
  r = highland_fma(n, all_lanes(2.12194440e-4f), r);
  highland_lanes p = all_lanes(1.9875691500e-4f);
  p = fma_lanes(p, r, 1.3981999507e-3f);
  p = fma_lanes(p, r, 8.3334519073e-3f);
  p = fma_lanes(p, r, 4.1665795894e-2f);
  p = fma_lanes(p, r, 1.6666665459e-1f);
  p = fma_lanes(p, r, 5.0000001201e-1f);
  p = highland_fma(p * r, r, r) + all_lanes(1.0f);
  highland_mask power = (__builtin_convertvector(n, highland_mask) + 127) << 23;
  *argument = p * (highland_lanes)power;
}

// ln, for normal positive arguments [coefficients of Cephes' logf].
ALWAYS void logarithm(highland_lanes *argument) {
  highland_mask bits = (highland_mask)*argument;
  highland_lanes m = (highland_lanes)((bits & 0x007fffff) | 0x3f800000);
  highland_mask isLarge = m > all_lanes(1.41421356237f);
  highland_lanes half = m * all_lanes(0.5f);
  choose(&isLarge, &half, &m);
  // Where true, a mask is -1.
  highland_lanes e = __builtin_convertvector((bits >> 23) - 127 - isLarge, highland_lanes);
  highland_lanes t = m - all_lanes(1.0f);
  highland_lanes z = t * t;
  highland_lanes p = all_lanes(7.0376836292e-2f);
  p = fma_lanes(p, t, -1.1514610310e-1f);
  p = fma_lanes(p, t, 1.1676998740e-1f);
  p = fma_lanes(p, t, -1.2420140846e-1f);
  p = fma_lanes(p, t, 1.4249322787e-1f);
  p = fma_lanes(p, t, -1.6668057665e-1f);
  p = fma_lanes(p, t, 2.0000714765e-1f);
  p = fma_lanes(p, t, -2.4999993993e-1f);
  p = fma_lanes(p, t, 3.3333331174e-1f);
  p = p * t * z;
  p = highland_fma(e, all_lanes(-2.12194440e-4f), p);
  p = highland_fma(z, all_lanes(-0.5f), p);
  *argument = highland_fma(e, all_lanes(0.693359375f), t + p);
}

// Up to sixteen values, the lanes past them filled.
ALWAYS void load(const float *from, size_t count, float filling, highland_lanes *x) {
  if (count >= highland_lane_count) {
    *x = *(const highland_lanes *)from;
  } else {
    *x = all_lanes(filling);
    for (size_t l = 0; l < count; l++) (*x)[l] = from[l];
  }
}

ALWAYS void store(const highland_lanes *x, float *to, size_t count) {
  if (count >= highland_lane_count) {
    *(highland_lanes *)to = *x;
  } else {
    for (size_t l = 0; l < count; l++) to[l] = (*x)[l];
  }
}

// The lanes, added pairwise: 0 with 8, 1 with 9, ...; then 0 with 4, ...
ALWAYS float sum_of(const highland_lanes *x) {
  float lane[highland_lane_count];
  memcpy(lane, x, sizeof lane);
  for (size_t half = highland_lane_count / 2; half > 0; half /= 2)
    for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0];
}

HIGHLAND_DISPATCHED(void, highland_softmax_rows, (const float *x, float *y, size_t rows, size_t
    width), (x, y, rows, width)) {
  for (size_t i = 0; i < rows; i++) {
    const float *from = x + i * width;
    float *to = y + i * width;
    float largest = from[0];
    for (size_t c = 1; c < width; c++) largest = from[c] > largest ? from[c] : largest;
    highland_lanes sum = {0};
    for (size_t c = 0; c < width; c += highland_lane_count) {
      size_t count = width - c;
      highland_lanes e;
      load(from + c, count, largest, &e);
      e -= all_lanes(largest);
      exponential(&e);
      for (size_t l = count; l < highland_lane_count; l++) e[l] = 0;
      sum += e;
      store(&e, to + c, count);
    }
    float factor = 1 / sum_of(&sum);
    for (size_t c = 0; c < width; c++) to[c] *= factor;
  }
}

HIGHLAND_DISPATCHED(void, highland_softmax_gradient, (const float *y, const float *g, float *out,
    size_t rows, size_t width), (y, g, out, rows, width)) {
  for (size_t i = 0; i < rows; i++) {
    const float *p = y + i * width;
    const float *d = g + i * width;
    float *to = out + i * width;
    highland_lanes sum = {0};
    for (size_t c = 0; c < width; c += highland_lane_count) {
      highland_lanes a, b;
      load(p + c, width - c, 0, &a);
      load(d + c, width - c, 0, &b);
      sum = highland_fma(a, b, sum);
    }
    float mean = sum_of(&sum);
    for (size_t c = 0; c < width; c++) to[c] = p[c] * (d[c] - mean);
  }
}

HIGHLAND_DISPATCHED(double, highland_entropy, (const float *s, size_t count, float epsilon), (s,
    count, epsilon)) {
  double total = 0;
  enum { block = 4096 };  // summed in float, the blocks in double
  for (size_t first = 0; first < count; first += block) {
    size_t end = first + block < count ? first + block : count;
    highland_lanes sum = {0};
    for (size_t c = first; c < end; c += highland_lane_count) {
      highland_lanes v;
      load(s + c, end - c, 0, &v);  // lanes past the end: 0, whose term is 0
      highland_lanes l = v + all_lanes(epsilon);
      logarithm(&l);
      sum = highland_fma(v, l, sum);
    }
    total -= sum_of(&sum);
  }
  return total;
}

HIGHLAND_DISPATCHED(void, highland_entropy_gradient, (const float *s, float *out, size_t count,
    float epsilon, float factor), (s, out, count, epsilon, factor)) {
  for (size_t c = 0; c < count; c += highland_lane_count) {
    highland_lanes v;
    load(s + c, count - c, 0, &v);
    highland_lanes shifted = v + all_lanes(epsilon);
    highland_lanes l = shifted;
    logarithm(&l);
    l = (l + v / shifted) * all_lanes(factor);
    store(&l, out + c, count - c);
  }
}
