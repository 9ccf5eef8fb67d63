// Steps of optimisers over parameters.
#pragma once
#include <stddef.h>

// What a step of Adam knows beside a parameter's gradient and moments.
typedef struct {
  float beta1, beta2;
  // What the moments are divided by for their start at 0.
  float correction1, correction2;
  float epsilon;
  // What the parameter is multiplied by.
  float decay;
  float rate;
} highland_adam;

// mean = beta1 mean + (1 - beta1) g;  square = beta2 square + (1 - beta2) g g;
// value = decay value - rate (mean / correction1) / (sqrt(square / correction2) + epsilon),
// every operation rounded.
void highland_follow_moments(const float *gradient, size_t count, highland_adam step, float *value,
                             float *mean, float *square);
