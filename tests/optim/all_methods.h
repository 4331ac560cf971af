#pragma once
#include <capstan/optim/methods.h>

#include "methods.h"
