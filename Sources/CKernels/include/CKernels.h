#pragma once
#include "gemm.h"
#include "layers.h"
#include "neighbors.h"
#include "optimizers.h"
#include "pooling.h"
#include "rows.h"
#include "vectors.h"
