#include "optimizers.h"

#include "vectors.h"

// No multiply-add is fused: the bits are those of the plain loop, on every processor.
#pragma STDC FP_CONTRACT OFF

HIGHLAND_DISPATCHED(void, highland_follow_moments, (const float *gradient, size_t count,
    highland_adam step, float *restrict value, float *restrict mean, float *restrict square),
    (gradient, count, step, value, mean, square)) {
  const float rest1 = 1 - step.beta1, rest2 = 1 - step.beta2;
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i];
    mean[i] = step.beta1 * mean[i] + rest1 * g;
    square[i] = step.beta2 * square[i] + rest2 * g * g;
    float spread = __builtin_sqrtf(square[i] / step.correction2);
    float mean_step = step.rate * (mean[i] / step.correction1);
    value[i] = step.decay * value[i] - mean_step / (spread + step.epsilon);
  }
}
