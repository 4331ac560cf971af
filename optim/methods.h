#pragma once
#include <capstan/optim/adabelief.h>
#include <capstan/optim/adadelta.h>
#include <capstan/optim/adafactor.h>
#include <capstan/optim/adagrad.h>
#include <capstan/optim/adam.h>
#include <capstan/optim/adamax.h>
#include <capstan/optim/adamw.h>
#include <capstan/optim/adan.h>
#include <capstan/optim/ftrl.h>
#include <capstan/optim/full_matrix_adagrad.h>
#include <capstan/optim/lamb.h>
#include <capstan/optim/lars.h>
#include <capstan/optim/lbfgs.h>
#include <capstan/optim/lion.h>
#include <capstan/optim/muon.h>
#include <capstan/optim/nadam.h>
#include <capstan/optim/prodigy.h>
#include <capstan/optim/radam.h>
#include <capstan/optim/rmsprop.h>
#include <capstan/optim/rowwise_adagrad.h>
#include <capstan/optim/rprop.h>
#include <capstan/optim/schedule_free_adamw.h>
#include <capstan/optim/sgd.h>
#include <capstan/optim/shampoo.h>
#include <capstan/optim/signum.h>
#include <capstan/optim/sm3.h>
#include <capstan/optim/sparse_adam.h>
#include <capstan/optim/yogi.h>

/// Every built-in method once. What goes through all of them goes through this list: make() and its names, the tables of tests and
/// benchmarks, docs/reference.md. X(Adagrad) stands for the class optim::Adagrad; its options are optim::OptionsOf<optim::Adagrad>.
/// Not in capstan.h, which a small program includes.
#define CAPSTAN_METHODS(X) \
  X(AdaBelief)             \
  X(Adadelta)              \
  X(Adafactor)             \
  X(Adagrad)               \
  X(Adam)                  \
  X(Adamax)                \
  X(AdamW)                 \
  X(Adan)                  \
  X(FTRL)                  \
  X(FullMatrixAdagrad)     \
  X(LAMB)                  \
  X(LARS)                  \
  X(LBFGS)                 \
  X(Lion)                  \
  X(Muon)                  \
  X(NAdam)                 \
  X(Prodigy)               \
  X(RAdam)                 \
  X(RMSProp)               \
  X(RowwiseAdagrad)        \
  X(Rprop)                 \
  X(ScheduleFreeAdamW)     \
  X(SGD)                   \
  X(Shampoo)               \
  X(Signum)                \
  X(SM3)                   \
  X(Yogi)

/// Those beside them that move along gradients by rows alone. make() knows them, too.
#define CAPSTAN_ROW_METHODS(X) X(SparseAdam)
