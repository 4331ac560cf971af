// Names that other people's headers have defined as macros before they include ours. Whatever ours include comes first, as it
// has to in their programs; then a public header that says one of the names does not compile.
#pragma once

#include <gtest/gtest.h>
#include <sys/single_threaded.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#endif

// Qt
#define slots 0macro
#define signals 0macro
#define emit 0macro
#define foreach(a, b) 0macro
#define forever 0macro
// complex.h
#undef I
#undef complex
#define I 0macro
#define complex 0macro
#define imaginary 0macro
// sys/sysmacros.h, unistd.h, termios.h, ctype.h
#undef major
#undef minor
#undef makedev
#define major(a) 0macro
#define minor(a) 0macro
#define makedev(a, b) 0macro
#undef linux
#undef unix
#define linux 0macro
#define unix 0macro
#define B0 0macro
// X11
#define Success 0macro
#define None 0macro
#define Status 0macro
#define Bool 0macro
#define True 0macro
#define False 0macro
#define Always 0macro
#define Above 0macro
#define Below 0macro
#define Complex 0macro
#define Convex 0macro
#define Unsorted 0macro
#define Expose 0macro
#define KeyPress 0macro
#define FocusIn 0macro
#define FocusOut 0macro
#define CursorShape 0macro
#define DestroyAll 0macro
#define GrayScale 0macro
#define TrueColor 0macro
// Windows
#undef min
#undef max
#define min(a, b) 0macro
#define max(a, b) 0macro
#define ERROR 0macro
#define NO_ERROR 0macro
#define IN 0macro
#define OUT 0macro
#define OPTIONAL 0macro
#define near 0macro
#define far 0macro
#define small 0macro
#define hyper 0macro
#define interface 0macro
#define CONST 0macro
#define VOID 0macro
#define DELETE 0macro
#define IGNORE 0macro
#define ABSOLUTE 0macro
#define RELATIVE 0macro
#define TRANSPARENT 0macro
#define OPAQUE 0macro
#define DIFFERENCE 0macro
#define STRICT 0macro
#define THIS 0macro
#undef TRUE
#undef FALSE
#define TRUE 0macro
#define FALSE 0macro
#define GetObject 0macro
#define Yield 0macro
// Arduino, logging libraries, the kernel's headers and everybody's own
#undef PI
#define PI 0macro
#define DEBUG 0macro
#define INFO 0macro
#define WARNING 0macro
#define FATAL 0macro
#undef CHECK
#define CHECK(a) 0macro
#define likely(a) 0macro
#define unlikely(a) 0macro
