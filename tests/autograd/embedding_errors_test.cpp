// Every throw of embedding() and embedding_bag(), by its full text.
#include "refusals.h"

using namespace capstan;

namespace {

Tensor at(const NestedList& list) { return tensor(list, DType::i64); }

const Refusal look_ups[] = {
    {"ValueError: [embedding] the index must be i64: f32 [2] (convert with to())",
     [] {
       return embedding(f({2}), f({3, 2}));
     }},
    {"ValueError: [embedding] an index must lie in [0, 3): 3 at element 4 of [2, 3]",
     [] {
       return embedding(at({{0, 1, 2}, {0, 3, 4}}), f({3, 2}));
     }},
    {"ValueError: [embedding] an index must lie in [0, 3): -1 at element 0 of []",
     [] {
       return embedding(at(-1), f({3, 2}));
     }},
    {"ShapeError: [embedding] the table must be [rows, size]: [3]", [] { return embedding(i({2}), f({3})); }},
    {"ShapeError: [embedding] the table must be [rows, size]: [3, 2, 2]",
     [] {
       return embedding(i({2}), f({3, 2, 2}));
     }},
    {"ShapeError: [shape] a tensor has at most 6 axes: 7",
     [] {
       return embedding(i({1, 1, 1, 1, 1, 1}), f({3, 2}));
     }},
    {"ValueError: [embedding] padding_idx must lie in [0, 3), or be -1 for none: 3",
     [] {
       return embedding(i({2}), f({3, 2}), {.padding_idx = 3});
     }},
    {"ValueError: [embedding] padding_idx must lie in [0, 3), or be -1 for none: -2",
     [] {
       return embedding(i({2}), f({3, 2}), {.padding_idx = -2});
     }},
};

const Refusal bags[] = {
    {"ValueError: [embedding_bag] the index must be i64: f32 [2] (convert with to())",
     [] {
       return embedding_bag(f({2}), f({3, 2}), i({1}));
     }},
    {"ValueError: [embedding_bag] the offsets must be i64: f32 [1] (convert with to())",
     [] {
       return embedding_bag(i({2}), f({3, 2}), f({1}));
     }},
    {"ValueError: [embedding_bag] takes f32 or f64: i64 [3, 2] (convert with to())",
     [] {
       return embedding_bag(i({2}), i({3, 2}), i({1}));
     }},
    {"ShapeError: [embedding_bag] the table must be [rows, size]: [3]", [] { return embedding_bag(i({2}), f({3}), i({1})); }},
    {"ShapeError: [embedding_bag] beside offsets the index must be a vector: [2, 2]",
     [] {
       return embedding_bag(i({2, 2}), f({3, 2}), i({1}));
     }},
    {"ShapeError: [embedding_bag] without offsets the index must be [bags, n]: [2]",
     [] {
       return embedding_bag(i({2}), f({3, 2}));
     }},
    {"ShapeError: [embedding_bag] the offsets must be a vector: []",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({}));
     }},
    {"ValueError: [embedding_bag] the offsets must begin at 0: 1",
     [] {
       return embedding_bag(i({2}), f({3, 2}), at({1, 2}));
     }},
    {"ValueError: [embedding_bag] the offsets must begin at 0: there are none for 2 look-ups",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({0}));
     }},
    {"ValueError: [embedding_bag] an offset must be at most the number of look-ups, 2: 3 at element 1 of [2]",
     [] {
       return embedding_bag(i({2}), f({3, 2}), at({0, 3}));
     }},
    {"ValueError: [embedding_bag] the offsets must not descend: 1 after 2 at element 2 of [3]",
     [] {
       return embedding_bag(i({2}), f({3, 2}), at({0, 2, 1}));
     }},
    {"ValueError: [embedding_bag] the offsets must not descend: -1 after 0 at element 1 of [2]",
     [] {
       return embedding_bag(i({2}), f({3, 2}), at({0, -1}));
     }},
    {"ValueError: [embedding_bag] an index must lie in [0, 3): 7 at element 2 of [3]",
     [] {
       return embedding_bag(at({0, 1, 7}), f({3, 2}), i({1}));
     }},
    {"ValueError: [embedding_bag] an index must lie in [0, 3): -4 at element 3 of [2, 2]",
     [] {
       return embedding_bag(at({{0, 1}, {2, -4}}), f({3, 2}));
     }},
    {"ValueError: [embedding_bag] padding_idx must lie in [0, 3), or be -1 for none: 4",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({1}), {.padding_idx = 4});
     }},
    {"ValueError: [embedding_bag] per_sample_weights go with mode sum: mean (multiply the rows of embedding() instead)",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({1}), {.mode = BagMode::mean, .per_sample_weights = f({2})});
     }},
    {"ValueError: [embedding_bag] per_sample_weights go with mode sum: max (multiply the rows of embedding() instead)",
     [] {
       return embedding_bag(i({2, 1}), f({3, 2}), {.mode = BagMode::max, .per_sample_weights = f({2, 1})});
     }},
    {"ShapeError: [embedding_bag] per_sample_weights must have the index's shape: [3] for [2]",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({1}), {.per_sample_weights = f({3})});
     }},
    {"ValueError: [embedding_bag] dtypes must agree: f32 [3, 2] and f64 [2] (convert one with to())",
     [] {
       return embedding_bag(i({2}), f({3, 2}), i({1}), {.per_sample_weights = f({2}, DType::f64)});
     }},
};

}  // namespace

TEST(EmbeddingErrors, LookUps) { check_refusals(look_ups); }
TEST(EmbeddingErrors, Bags) { check_refusals(bags); }
