#pragma once
#include "layers.h"
#include "neighbors.h"
