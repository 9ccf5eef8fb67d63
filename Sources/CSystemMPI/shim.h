#pragma once
// The C++ bindings of Open MPI 4 and MPICH pull in a C++ compiler's headers.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
