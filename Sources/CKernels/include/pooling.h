// Kernels of soft assignments: rows that are distributions.
#pragma once
#include <stddef.h>

// y = exp(x - max) / sum of exp(x - max), over rows of `width`. The exponential is a polynomial whose
// relative error is below 2e-7. x and y may be the same.
void highland_softmax_rows(const float *x, float *y, size_t rows, size_t width);

// out = y * (g - sum of the row of y * g): the gradient of the softmax whose result was y.
void highland_softmax_gradient(const float *y, const float *g, float *out, size_t rows, size_t width);

// The sum of -s * ln(s + epsilon) over `count` values, for s in 0 ... 1.
double highland_entropy(const float *s, size_t count, float epsilon);

// out = factor * (ln(s + epsilon) + s / (s + epsilon)): minus the entropy's gradient, times a factor.
void highland_entropy_gradient(const float *s, float *out, size_t count, float epsilon, float factor);
