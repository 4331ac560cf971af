#pragma once
// xtensor's sorting and views, which lie elsewhere from version 0.26 on.
#if __has_include(<xtensor/misc/xsort.hpp>)
#include <xtensor/misc/xsort.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xsort.hpp>
#include <xtensor/xview.hpp>
#endif
