#include "table.inl"

extern const Table<float> v4_f32;
extern const Table<double> v4_f64;
constinit const Table<float> v4_f32 = make_table<float>("v4");
constinit const Table<double> v4_f64 = make_table<double>("v4");

}  // namespace capstan::kernels
