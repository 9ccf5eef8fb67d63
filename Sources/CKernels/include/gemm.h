// Products of row-major matrices of float with a packed right-hand side.
//
// The bits of a product are part of the contract. Every element of C is one chain of fused
// multiply-adds in ascending order of depth,
//
//     c = start;  for k in 0 ..< depth { c = fma(a[i][k], b[k][j], c) }
//
// whatever m, n, the position of the row, the blocking, the thread and the instruction set.
#pragma once
#include <stddef.h>

// The instruction sets that a kernel is compiled for. A higher one implies the lower ones.
enum {
  highland_simd_portable = 0,  // same bits; without hardware fma a call per element, so slow
  highland_simd_avx2 = 1,      // AVX2 and FMA
  highland_simd_avx512 = 2,    // AVX-512 F, BW, DQ, VL
};

// The best of them that this CPU and its operating system support.
int highland_supported_simd_level(void);

// The one that has a name (portable, avx2, avx512); -1 if none has.
int highland_named_simd_level(const char *name);

// The one that kernels use: the best, or a lower one if the environment variable HIGHLAND_KERNEL names it when
// this is first called.
int highland_simd_level(void);

// How many floats `highland_pack_rows` writes for `columns` columns of B.
size_t highland_packed_count(size_t columns, size_t depth);

// Packs B = rowsᵀ [depth x row_count]: row j of `rows` becomes column j of B.
//
// The layout is one panel after the other, each of 64 columns, [depth x 64]; the columns past the
// last one are zero. `rows` and `packed` do not overlap; the best alignment of `packed` is 64 bytes.
void highland_pack_rows(
    const float *rows, size_t row_stride, size_t row_count, size_t depth, float *packed);

// Packs B [depth x columns] as it stands, in the same layout.
void highland_pack_columns(
    const float *b, size_t row_stride, size_t depth, size_t columns, float *packed);

// C [m x n] = start + A [m x depth] * B, where B was packed from at least n columns.
//
// The strides are in elements, from row to row. `start` is C itself if `accumulate`; otherwise the n
// values of `initial` in every row, or 0 if that is NULL. C overlaps nothing else.
void highland_multiply_packed(
    const float *a, size_t a_stride, const float *packed, float *c, size_t c_stride, size_t m,
    size_t n, size_t depth, const float *initial, int accumulate);

// C [m x n] = A [m x depth] * B, and C = Aᵀ * B for A [depth x m], which is read where it stands.
//
// The right-hand side is packed if b_stride is 0; otherwise its rows stand b_stride elements apart, and
// n must be a multiple of 16. For thin products, whose packing would cost as much as multiplying.
void highland_multiply_rows(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *c, size_t c_stride,
    size_t m, size_t n, size_t depth);
void highland_multiply_transposed(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *c, size_t c_stride,
    size_t m, size_t n, size_t depth);

// As the functions above at one level, which the CPU must support. For tests and benchmarks.
void highland_pack_rows_at(
    int level, const float *rows, size_t row_stride, size_t row_count, size_t depth, float *packed);
void highland_multiply_packed_at(
    int level, const float *a, size_t a_stride, const float *packed, float *c, size_t c_stride,
    size_t m, size_t n, size_t depth, const float *initial, int accumulate);
void highland_multiply_rows_at(
    int level, const float *a, size_t a_stride, const float *b, size_t b_stride, float *c,
    size_t c_stride, size_t m, size_t n, size_t depth);
void highland_multiply_transposed_at(
    int level, const float *a, size_t a_stride, const float *b, size_t b_stride, float *c,
    size_t c_stride, size_t m, size_t n, size_t depth);
