#pragma once
#include "gemm.h"
