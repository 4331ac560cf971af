#include "all_methods.h"

// The rows of the methods of optim/contrib, each with a test of what the method is for.

std::vector<Row> contrib_rows() { return {}; }
