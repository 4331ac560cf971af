#include "table.inl"

extern const Table<float> v3_f32;
extern const Table<double> v3_f64;
constinit const Table<float> v3_f32 = make_table<float>("v3");
constinit const Table<double> v3_f64 = make_table<double>("v3");

}  // namespace capstan::kernels
