// erf and erfc that vectorise. Coefficients are Cephes' (ndtrf, ndtr).

// e^(-x^2) for 0 <= x < 2^6: x^2 would carry an error of x^2 ulp into the result. x = h + d, where h^2 is exact.
static inline float falling(float x) {
  int bits;
  __builtin_memcpy(&bits, &x, 4);
  bits &= ~0xFFF;
  float h;
  __builtin_memcpy(&h, &bits, 4);
  const float r = (h - x) * (h + x);  // |r| < 2^-3
  return exponential(-h * h) * (1.f + r * (1.f + r * (0.5f + r * (1.f / 6 + r * (1.f / 24)))));
}
static inline double falling(double x) {
  long long bits;
  __builtin_memcpy(&bits, &x, 8);
  bits &= ~0x7FFFFFFll;
  double h;
  __builtin_memcpy(&h, &bits, 8);
  const double r = (h - x) * (h + x);  // |r| < 2^-14
  return exponential(-h * h) * (1. + r * (1. + r * (0.5 + r * (1. / 6))));
}

// erf x for |x| <= 1, and erfc x for x >= 1 or NaN.
static inline float near_error_function(float x) {
  const float z = x * x;
  float p = 7.853861353153693e-5f;
  p = p * z - 8.010193625184903e-4f;
  p = p * z + 5.188327685732524e-3f;
  p = p * z - 2.685381193529856e-2f;
  p = p * z + 1.128358514861418e-1f;
  p = p * z - 3.761262582423300e-1f;
  p = p * z + 1.28379165726710e-1f;
  return x + x * p;
}
static inline double near_error_function(double x) {
  const double z = x * x;
  // Cephes' x p / q as x + x (p - q) / q, which rounds a small part of the result only.
  double p = -z + (9.60497373987051638749 - 3.35617141647503099647e1), q = z + 3.35617141647503099647e1;
  p = p * z + (9.00260197203842689217e1 - 5.21357949780152679795e2);
  p = p * z + (2.23200534594684319226e3 - 4.59432382970980127987e3);
  p = p * z + (7.00332514112805075473e3 - 2.26290000613890934246e4);
  p = p * z + (5.55923013010394962768e4 - 4.92673942608635921086e4);
  q = q * z + 5.21357949780152679795e2;
  q = q * z + 4.59432382970980127987e3;
  q = q * z + 2.26290000613890934246e4;
  q = q * z + 4.92673942608635921086e4;
  return x + x * (p / q);
}

static inline float far_error_function(float x) {
  x = x > 11.f ? 11.f : x;  // 0 from 10.1 on
  const float q = 1.f / x, y = q * q;
  const bool low = x < 2.f;
  float a = 2.326819970068386e-2f, b = -1.047766399936249e+1f;
  a = a * y - 1.387039388740657e-1f;
  b = b * y + 1.297719955372516e+1f;
  a = a * y + 3.687424674597105e-1f;
  b = b * y - 7.495518717768503e+0f;
  a = a * y - 5.824733027278666e-1f;
  b = b * y + 2.921019019210786e+0f;
  a = a * y + 6.210004621745983e-1f;
  b = b * y - 1.015265279202700e+0f;
  a = a * y - 4.944515323274145e-1f;
  b = b * y + 4.218463358204948e-1f;
  a = a * y + 3.404879937665872e-1f;
  b = b * y - 2.820767439740514e-1f;
  a = a * y - 2.741127028184656e-1f;
  b = b * y + 5.641895067754075e-1f;
  a = a * y + 5.638259427386472e-1f;
  return falling(x) * q * (low ? a : b);
}
static inline double far_error_function(double x) {
  x = x > 28. ? 28. : x;  // 0 from 27.3 on
  const bool low = x < 8.;
  double p = 2.46196981473530512524e-10, q = x + 1.32281951154744992508e1;
  p = p * x + 5.64189564831068821977e-1;
  q = q * x + 8.67072140885989742329e1;
  p = p * x + 7.46321056442269912687e0;
  q = q * x + 3.54937778887819891062e2;
  p = p * x + 4.86371970985681366614e1;
  q = q * x + 9.75708501743205489753e2;
  p = p * x + 1.96520832956077098242e2;
  q = q * x + 1.82390916687909736289e3;
  p = p * x + 5.26445194995477358631e2;
  q = q * x + 2.24633760818710981792e3;
  p = p * x + 9.34528527171957607540e2;
  q = q * x + 1.65666309194161350182e3;
  p = p * x + 1.02755188689515710272e3;
  q = q * x + 5.57535340817727675546e2;
  p = p * x + 5.57535335369399327526e2;
  double r = 5.64189583547755073984e-1, s = x + 2.26052863220117276590e0;
  r = r * x + 1.27536670759978104416e0;
  s = s * x + 9.39603524938001434673e0;
  r = r * x + 5.01905042251180477414e0;
  s = s * x + 1.20489539808096656605e1;
  r = r * x + 6.16021097993053585195e0;
  s = s * x + 1.70814450747565897222e1;
  r = r * x + 7.40974269950448939160e0;
  s = s * x + 9.60896809063285878198e0;
  r = r * x + 2.97886665372100240670e0;
  s = s * x + 3.36907645100081516050e0;
  return falling(x) * ((low ? p : r) / (low ? q : s));
}

// Within 2 ulp.
template <class T>
static inline T error_function(T x) {
  const T m = magnitude(x);
  return m < T(1) ? near_error_function(x) : with_sign_of(x, T(1) - far_error_function(m));
}

// Within 5 ulp for float and 10 for double.
template <class T>
static inline T complementary_error_function(T x) {
  const T m = magnitude(x), far = far_error_function(m);
  return m < T(1) ? T(1) - near_error_function(x) : x < T(0) ? T(2) - far : far;
}
