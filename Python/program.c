// The command `highland` of the Python package: all of it is in the library beside it.

#include <highland.h>

int main(int argc, char **argv) { highland_main(argc, argv); }
