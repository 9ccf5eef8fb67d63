// What the kernels share: a vector type, fused multiply-add and run-time dispatch.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// One function, compiled for AVX-512, for AVX2 and for the baseline; the loader picks. The three
// compute the same bits: every multiply-add is fused by name, and sums over lanes have one order.
// ThreadSanitizer is not ready when the loader asks which: there, the baseline alone.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HIGHLAND_IS_THREAD_SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && !defined(HIGHLAND_IS_THREAD_SANITIZED)
#define HIGHLAND_DISPATCHED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HIGHLAND_DISPATCHED
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
