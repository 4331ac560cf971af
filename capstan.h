#pragma once

/// What a training program uses. A small program should compile in little memory, so these are included where they are wanted:
///   - core/xtensor.h              the bridge to xtensor
///   - data/npy.h, idx.h           arrays in the files of NumPy and MNIST
///   - data/feature_hasher.h       columns for names and n-grams
///   - data/libsvm.h               LIBSVM's text, as a whole or as a stream
///   - data/safetensors.h          save() and load()
///   - optim/make.h                optimizers by name
///   - optim/chain.h, own_part.h   optimizers from parts
///   - optim/lars.h, lbfgs.h, ...  methods that move a tensor as a whole (optim/methods.h has all); whole_tensor.h for one's own
///   - optim/conformance.h         the proof of an optimizer of one's own
///   - train/compare.h             several optimizers on one problem
///   - train/problems.h            six problems for that
///   - train/rate_microscope.h     their effective rates
///   - train/contour.h             pictures of a plane

#include <capstan/autograd/checkpoint.h>
#include <capstan/autograd/csr_matrix.h>
#include <capstan/autograd/functional.h>
#include <capstan/autograd/gradcheck.h>
#include <capstan/autograd/gradients.h>
#include <capstan/autograd/ops.h>
#include <capstan/autograd/profile.h>
#include <capstan/autograd/record.h>
#include <capstan/autograd/tape.h>
#include <capstan/core/create.h>
#include <capstan/core/dtype.h>
#include <capstan/core/error.h>
#include <capstan/core/memory.h>
#include <capstan/core/random.h>
#include <capstan/core/shape.h>
#include <capstan/core/tensor.h>
#include <capstan/core/tensor_map.h>
#include <capstan/core/threads.h>
#include <capstan/data/batches.h>
#include <capstan/data/dataset.h>
#include <capstan/data/samples.h>
#include <capstan/data/sparse_dataset.h>
#include <capstan/data/standardize.h>
#include <capstan/data/table.h>
#include <capstan/nn/activations.h>
#include <capstan/nn/check.h>
#include <capstan/nn/dropout.h>
#include <capstan/nn/embedding.h>
#include <capstan/nn/factorization_machine.h>
#include <capstan/nn/init.h>
#include <capstan/nn/linear.h>
#include <capstan/nn/module.h>
#include <capstan/nn/sequential.h>
#include <capstan/nn/sparse_linear.h>
#include <capstan/optim/adabelief.h>
#include <capstan/optim/adadelta.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/adam.h>
#include <capstan/optim/adamax.h>
#include <capstan/optim/adamw.h>
#include <capstan/optim/average.h>
#include <capstan/optim/elementwise.h>
#include <capstan/optim/ftrl.h>
#include <capstan/optim/inject.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/lookahead.h>
#include <capstan/optim/nadam.h>
#include <capstan/optim/optimizer.h>
#include <capstan/optim/radam.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/rprop.h>
#include <capstan/optim/sam.h>
#include <capstan/optim/schedule.h>
#include <capstan/optim/sgd.h>
#include <capstan/optim/signum.h>
#include <capstan/optim/sparse_adam.h>
#include <capstan/optim/wrapper.h>
#include <capstan/optim/yogi.h>
#include <capstan/train/chart.h>
#include <capstan/train/checkpoint.h>
#include <capstan/train/log.h>
#include <capstan/train/metrics.h>
#include <capstan/train/plot.h>
#include <capstan/train/progress.h>

#include <cstdio>
