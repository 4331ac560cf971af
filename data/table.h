#pragma once
#include <capstan/core/tensor.h>

#include <string>
#include <string_view>
#include <vector>

namespace capstan::data {

struct TableOptions {
  char delimiter = '\0';                      // ',' ';' '\t' '|' ...; ' ': any run of blanks and tabs; '\0': found out
  bool header = false;                        // the first line holds the columns' names
  DType dtype = DType::f32;                   // of the result: f32 or f64
  bool allow_non_finite = false;              // accept nan, inf and infinity, with a sign, in either case
  std::vector<std::string>* names = nullptr;  // where the header's names go; needs .header
};

/// The numbers of a delimited text file as a Tensor [rows, columns]: `read_table("wine.csv", {.header = true})`.
///
/// A line is a row and ends with LF or CRLF; the last one may lack its end, and empty lines may follow it. All rows have
/// as many fields as the first. Each field is one decimal number (1, +1.5, .5, -2e-3; no quotes, no missing values),
/// with blanks around it if you like. The locale plays no part. Numbers are rounded to the nearest one of the dtype; one
/// beyond its range is refused, one nearer to 0 than the smallest becomes 0. A name in the header may stand in double
/// quotes, a quote within them is doubled; it may be empty. A UTF-8 byte-order mark is skipped.
/// When the delimiter is to be found out, it is the first of tab, semicolon and comma in the first row of numbers, else
/// blanks.
///
/// What cannot be in a table is refused as soon as it is read, also in a file or pipe without an end. The numbers are held twice for a
/// moment, the text a piece at a time. Errors name the file, the line and the column of the table, both from 1 on. Throws:
///   - IoError when the file cannot be read;
///   - FormatError when it holds anything but such a table;
///   - ValueError for options that cannot be;
///   - a std::bad_alloc that names the file when there is no memory for it.
Tensor read_table(const std::string& path, const TableOptions& options = {});

/// The same for a text in memory; `source` stands in errors where the file's name would.
Tensor parse_table(std::string_view text, const TableOptions& options = {}, const std::string& source = "the text");

/// A copy of columns [begin, end) of a tensor [rows, columns], of any dtype: the way from a table to x and y. Not recorded. Throws:
///   - ShapeError for another number of axes and for a range that is empty or does not fit.
Tensor columns(const Tensor& table, std::int64_t begin, std::int64_t end);

}  // namespace capstan::data
