#pragma once
#include <stdexcept>
#include <string>

namespace capstan {

/// Everything that Capstan throws but std::bad_alloc, whose text says how many bytes were wanted for a tensor.
/// The text reads `[op] the rule: the actual values (what to try)`.
/// After a throw, std::bad_alloc's too, every object, file and model is as it was before the call. One exception: a tape whose
/// gradients() has thrown, without `keep`, is spent.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Shapes, axes or numbers of dimensions that do not fit together.
class ShapeError : public Error {
  using Error::Error;
};

/// A value out of its range, a wrong dtype, an option that cannot be, a tape used against its rules.
class ValueError : public Error {
  using Error::Error;
};

/// NaN or infinity where numbers must be finite: in a loss, a gradient, a norm, a factor for gradients, a tensor's elements.
/// A program that tries several rates catches this one. An option that is not finite is a plain ValueError.
class NotFiniteError : public ValueError {
  using ValueError::ValueError;
};

/// The operating system refused: a file is missing or unreadable, a disk is full.
class IoError : public Error {
  using Error::Error;
};

/// A file was read but does not hold what it should.
class FormatError : public Error {
  using Error::Error;
};

}  // namespace capstan
