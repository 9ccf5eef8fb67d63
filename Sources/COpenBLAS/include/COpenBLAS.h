// The few functions of OpenBLAS that Highland calls, found at run time: the library decides which
// kernels it uses while it is being loaded, so it cannot be linked. No policy here.
#pragma once
#include <limits.h>
#include <stddef.h>

typedef struct {
  void *handle;
  char *(*config)(void);
  char *(*core)(void);
  int (*thread_count)(void);
  void (*set_thread_count)(int);
  void (*sgemm)(
      int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
      int lda, const float *b, int ldb, float beta, float *c, int ldc);
  // Of LAPACK, with the lengths of its strings last, as Fortran passes them.
  void (*dsyevd)(
      const char *vectors, const char *triangle, const int *n, double *a, const int *lda, double *w,
      double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);
} copenblas_library;

// Loads the library `file` with OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS set to these values while
// it loads; NULL leaves a variable as it is. Other threads must not use the environment meanwhile.
// Returns NULL, or what went wrong, valid until the next call on this thread.
const char *copenblas_load(
    copenblas_library *library, const char *file, const char *core, const char *thread_count);

void copenblas_unload(copenblas_library *library);

const char *copenblas_config(const copenblas_library *library);
const char *copenblas_core(const copenblas_library *library);
int copenblas_thread_count(const copenblas_library *library);
void copenblas_set_thread_count(const copenblas_library *library, int count);

// C = op(A) · op(B), all row-major; op transposes if `transposes_a`, `transposes_b`.
void copenblas_sgemm(
    const copenblas_library *library, int transposes_a, int transposes_b, int m, int n, int k,
    const float *a, int lda, const float *b, int ldb, float *c, int ldc);

// Whether the library was built with LAPACK.
int copenblas_has_lapack(const copenblas_library *library);

// What copenblas_dsyevd returns beside LAPACK's own numbers.
enum { copenblas_no_memory = INT_MIN };

// Eigenvalues, ascending, and eigenvectors, the rows of `a` afterwards, of a symmetric n × n matrix, of
// which the lower triangle by rows is read. Returns 0, `copenblas_no_memory`, or what LAPACK says: > 0 if
// it did not converge, as with NaN.
int copenblas_dsyevd(const copenblas_library *library, int n, double *a, double *values);
