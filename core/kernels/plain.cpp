#include "table.inl"

extern const Table<float> plain_f32;
extern const Table<double> plain_f64;
constinit const Table<float> plain_f32 = make_table<float>("plain");
constinit const Table<double> plain_f64 = make_table<double>("plain");

}  // namespace capstan::kernels
