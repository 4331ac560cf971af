#pragma once
#include <capstan/optim/adabelief.h>
#include <capstan/optim/adadelta.h>
#include <capstan/optim/adam.h>
#include <capstan/optim/adamax.h>
#include <capstan/optim/adamw.h>
#include <capstan/optim/ftrl.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/nadam.h>
#include <capstan/optim/radam.h>
#include <capstan/optim/rprop.h>
#include <capstan/optim/signum.h>
#include <capstan/optim/yogi.h>

#include "methods.h"
