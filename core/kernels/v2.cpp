#include "table.inl"

extern const Table<float> v2_f32;
extern const Table<double> v2_f64;
constinit const Table<float> v2_f32 = make_table<float>("v2");
constinit const Table<double> v2_f64 = make_table<double>("v2");

}  // namespace capstan::kernels
