#pragma once

/// Everything a training program uses. Left out, to be included where they are wanted: core/xtensor.h (the bridge to
/// xtensor) and optim/make.h (optimizers by name).

#include <capstan/autograd/gradcheck.h>
#include <capstan/autograd/gradients.h>
#include <capstan/autograd/ops.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/dtype.h>
#include <capstan/core/error.h>
#include <capstan/core/random.h>
#include <capstan/core/shape.h>
#include <capstan/core/tensor.h>
#include <capstan/core/tensor_map.h>
#include <capstan/core/threads.h>
#include <capstan/data/batches.h>
#include <capstan/data/dataset.h>
#include <capstan/data/samples.h>
#include <capstan/data/standardize.h>
#include <capstan/data/table.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/dropout.h>
#include <capstan/nn/embedding.h>
#include <capstan/nn/init.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/module.h>
#include <capstan/nn/sequential.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/elementwise.h>
#include <capstan/optim/optimizer.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/sgd.h>
#include <capstan/train/chart.h>
#include <capstan/train/contour.h>
#include <capstan/train/log.h>
#include <capstan/train/metrics.h>
#include <capstan/train/progress.h>

#include <cstdio>
