// What the kernels share: a vector type, fused multiply-add and run-time dispatch.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// HIGHLAND_DISPATCHED(result, name, (parameters), (arguments)) { body }: one function, compiled for AVX-512,
// for AVX2 and for the baseline; `highland_simd_level` picks. The three compute the same bits: every
// multiply-add is fused by name, and sums over lanes have one order.
#include "gemm.h"
#define HIGHLAND_INLINED static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define HIGHLAND_DISPATCHED(result, name, parameters, arguments)                         \
  HIGHLAND_INLINED result name##_body parameters;                                        \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) static result   \
  name##_avx512 parameters {                                                             \
    return name##_body arguments;                                                        \
  }                                                                                      \
  __attribute__((target("avx2,fma"))) static result name##_avx2 parameters {             \
    return name##_body arguments;                                                        \
  }                                                                                      \
  result name parameters {                                                               \
    int level = highland_simd_level();                                                   \
    if (level == highland_simd_avx512) return name##_avx512 arguments;                   \
    if (level == highland_simd_avx2) return name##_avx2 arguments;                       \
    return name##_body arguments;                                                        \
  }                                                                                      \
  HIGHLAND_INLINED result name##_body parameters
#else
#define HIGHLAND_DISPATCHED(result, name, parameters, arguments) result name parameters
#endif

// Sixteen lanes at any address; on narrower machines the compiler uses several registers.
typedef float highland_lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t highland_mask __attribute__((vector_size(64)));

enum { highland_lane_count = 16 };

#define highland_fma(a, b, c) __builtin_elementwise_fma(a, b, c)

// One bit per lane, from a comparison. A macro: vectors do not pass between functions portably.
typedef _Bool highland_lane_bits __attribute__((ext_vector_type(highland_lane_count)));
#define highland_bits_of(mask) ({                                                 \
  highland_lane_bits bits_ = __builtin_convertvector((mask), highland_lane_bits); \
  uint16_t word_;                                                                 \
  memcpy(&word_, &bits_, sizeof word_);                                           \
  (uint32_t) word_;                                                               \
})
