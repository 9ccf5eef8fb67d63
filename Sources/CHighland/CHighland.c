#include "highland.h"

// The functions are Swift's: Sources/CInterface.
