#pragma once
#include "gemm.h"
#include "layers.h"
#include "neighbors.h"
#include "vectors.h"
