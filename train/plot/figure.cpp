#include <capstan/train/figure.h>

#include <capstan/core/file.h>
#include <capstan/core/text.h>

#include <algorithm>
#include <cmath>

namespace capstan::plot::detail {

using capstan::detail::fail;
using capstan::detail::NewFile;

namespace {

constexpr double kSmall = tick_font, kLabel = 13, kTitle = 14.5, kRow = 18, kSample = 28, kNote = 10.5, kNoteRow = 13, kTitleRow = 20;
constexpr const char* kAxis = "#444444";
constexpr const char* kGrid = "#E3E3E3";

/// The legend's entries with the row and the offset at which each begins.
struct Placed {
  const Entry* entry;
  std::string text;
  int row;
  double x;
};

std::vector<Placed> flow(const std::vector<Entry>& legend, double width) {
  std::vector<Placed> out;
  double x = 0;
  int row = 0;
  for (const Entry& entry : legend) {
    if (entry.name.empty()) continue;
    std::string text = fit(entry.name, kLabel, width - kSample - 6);
    const double needed = kSample + 6 + text_width(text, kLabel);
    if (x > 0 && x + needed > width) x = 0, ++row;
    out.push_back({&entry, std::move(text), row, x});
    x += needed + 18;
  }
  return out;
}

double widest(const Ticks& ticks) {
  double width = 0;
  for (const Tick& tick : ticks.ticks) width = std::max(width, kSmall * tick.width);
  return width;
}

/// The markup of a text and its size, down to four fifths where it is long; what does not fit then is cut.
struct Sized {
  double size;
  std::string markup;
};
Sized shrunk(const std::string& text, double size, double room) {
  size = std::clamp(size * room / text_width(text, size), 0.8 * size, size);
  return {size, escape(fit(text, size, room))};
}

/// A text in lines of whole words, of which the last is cut where there would be more than `most`; one line, if it may be a fifth smaller.
std::vector<std::string> lines_of(const std::string& text, double size, double room, std::size_t most) {
  if (text.empty()) return {};
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0, end; begin < text.size() && text_width(text, 0.8 * size) > room; begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin), longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (lines.size() < most && !lines.back().empty() && text_width(longer, size) > room)
      lines.push_back(word);
    else
      lines.back() = longer;
  }
  if (lines.back().empty()) lines.back() = text;
  return lines;
}

int rows_of(const std::vector<Placed>& legend) { return legend.empty() ? 0 : legend.back().row + 1; }

}  // namespace

Figure::Figure(const Plan& plan) : x(0, 1, false, 0, 1), y(0, 1, false, 0, 1) {
  double height = plan.height;
  const double width = plan.width;
  const std::vector<std::string> notes = lines_of(plan.note, kNote, width - 20, 3);
  const double below = 26 + (plan.x.label.empty() ? 0 : 18) + (notes.empty() ? 0 : 3 + kNoteRow * static_cast<double>(notes.size())) + 8;
  const double least =
      std::max(90.0, 0.6 * (plan.height - 14 - (plan.title.empty() ? 0 : kTitleRow) - below));  // whatever the legend takes
  Ticks y_ticks;
  std::vector<std::string> titles;
  frame = {0, 60, width - 18 - plan.right, height - below};
  // The texts at the y axis follow from the frame's height, its width from them, the rows of the legend from that, and the
  // height from those: the second round settles it.
  for (int round = 0; round < 2; ++round) {
    y_ticks = make_ticks(plan.y_low, plan.y_high, plan.y.log, {frame.bottom - frame.top, false, plan.y.whole});
    frame.left = 14 + (plan.y.label.empty() ? 0 : 18) + widest(y_ticks) + 8;
    const int rows = rows_of(flow(plan.legend, frame.right - frame.left));
    titles = lines_of(plan.title, kTitle, title_room(), 2);
    frame.top = 14 + kTitleRow * static_cast<double>(titles.size()) + rows * kRow + (rows > 0 ? 6 : 0) + (y_ticks.factor.empty() ? 0 : 16);
    height = std::max(height, frame.top + least + below);
    frame.bottom = height - below;
  }
  const Ticks x_ticks = make_ticks(plan.x_low, plan.x_high, plan.x.log, {frame.right - frame.left, true, plan.whole_x || plan.x.whole});
  x = Scale(plan.x_low, plan.x_high, plan.x.log, frame.left, frame.right);
  y = Scale(plan.y_low, plan.y_high, plan.y.log, frame.bottom, frame.top);

  svg.open(width, height, plan.title);
  title_and_legend(plan, titles);
  axes(plan, x_ticks, y_ticks);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const auto [size, text] = shrunk(notes[i], kNote, width - 20);
    const double bottom = height - 9 - kNoteRow * static_cast<double>(notes.size() - 1 - i);
    svg.text({width - 10, bottom}, "end", size, text, "fill=\"#555555\" class=\"note\"");
  }
}

double Figure::title_room() const { return (frame.right - frame.left) / 1.1; }  // bold is wider

void Figure::title_and_legend(const Plan& plan, const std::vector<std::string>& titles) {
  double top = 14;
  for (const std::string& title : titles) {
    const auto [size, text] = shrunk(title, kTitle, title_room());
    svg.text({frame.left, top + 12}, "start", size, text, "font-weight=\"bold\" class=\"title\"");
    top += kTitleRow;
  }
  for (const Placed& placed : flow(plan.legend, frame.right - frame.left)) {
    const double left = frame.left + placed.x, middle = top + placed.row * kRow + 10;
    const Style& style = placed.entry->style;
    if (placed.entry->width > 0) svg.line({left, middle}, {left + kSample, middle}, style.colour, placed.entry->width, style.dash);
    if (placed.entry->has_marker) svg.marker(style.marker, {left + kSample / 2, middle}, 3, style.colour, "#FFFFFF");
    if (placed.entry->dot > 0) svg.marker(0, {left + kSample / 2, middle}, placed.entry->dot / 2 - 0.4, style.colour, style.colour);
    svg.text({left + kSample + 6, middle + 4}, "start", kLabel, escape(placed.text), "class=\"legend\"");
  }
}

void Figure::axes(const Plan& plan, const Ticks& x_ticks, const Ticks& y_ticks) {
  for (const Tick& tick : x_ticks.ticks) {
    const double at = x(tick.value), length = tick.text.empty() ? 2.5 : 4.5;
    if (plan.grid && !tick.text.empty()) svg.line({at, frame.top}, {at, frame.bottom}, kGrid, 0.8);
    svg.line({at, frame.bottom}, {at, frame.bottom + length}, kAxis, 0.8);
    const double half = kSmall * tick.width / 2, right = frame.right + 16 + plan.right;  // a long one at the end is moved in
    if (!tick.text.empty()) svg.text({std::min(at, right - half), frame.bottom + 17}, "middle", kSmall, tick.text, "class=\"x\"");
  }
  for (const Tick& tick : y_ticks.ticks) {
    const double at = y(tick.value), length = tick.text.empty() ? 2.5 : 4.5;
    if (plan.grid && !tick.text.empty()) svg.line({frame.left, at}, {frame.right, at}, kGrid, 0.8);
    svg.line({frame.left - length, at}, {frame.left, at}, kAxis, 0.8);
    if (!tick.text.empty()) svg.text({frame.left - 8, at + 4}, "end", kSmall, tick.text, "class=\"y\"");
  }
  if (!x_ticks.factor.empty()) svg.text({frame.right, frame.bottom + 33}, "end", kSmall, x_ticks.factor);
  if (!y_ticks.factor.empty()) svg.text({frame.left, frame.top - 6}, "start", kSmall, y_ticks.factor);
  const double middle_x = (frame.left + frame.right) / 2, middle_y = (frame.top + frame.bottom) / 2;
  if (!plan.x.label.empty()) {
    const auto [size, text] = shrunk(plan.x.label, kLabel, frame.right - frame.left - 60);
    svg.text({middle_x, frame.bottom + 36}, "middle", size, text);
  }
  if (!plan.y.label.empty()) {
    const auto [size, text] = shrunk(plan.y.label, kLabel, frame.bottom - frame.top);
    svg.text({20, middle_y}, "middle", size, text, "transform=\"rotate(-90 20 " + number(middle_y) + ")\"");
  }
}

std::string Figure::finish() {
  svg.rectangle(frame, "none", kAxis);
  return svg.close();
}

void check_plan(const char* op, int width, int height, const Axis& x, const Axis& y) {
  if (width < 200 || height < 150 || width > 10000 || height > 10000)
    fail<ValueError>(op, "a picture measures from 200 x 150 to 10000 x 10000 pixels: ", width, " x ", height);
  for (const auto& [axis, name] : {std::pair{&x, "x"}, {&y, "y"}})
    for (const auto& limit : {axis->low, axis->high}) {
      if (limit && !(std::abs(*limit) <= 1e300)) fail<ValueError>(op, "the limits of an axis must be finite: ", name, " has ", *limit);
      if (limit && axis->log && *limit < 1e-300) fail<ValueError>(op, "the limits of a log axis must be positive: ", name, " has ", *limit);
      if (axis->low && axis->high && !(*axis->low < *axis->high))
        fail<ValueError>(op, "an axis must run from low to high: ", name, " from ", *axis->low, " to ", *axis->high);
    }
}

void check_picture_name(const char* op, const std::string& path) {
  const std::size_t dot = path.rfind('.');
  std::string ending = dot == std::string::npos ? "" : path.substr(dot + 1);
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* other : {"png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "tif", "tiff", "pdf", "eps", "ps", "svgz"})
    if (ending == other)
      fail<ValueError>(op, "a picture is saved as SVG: ", path, " (name it ", path.substr(0, dot),
                       ".svg; browsers and rsvg-convert turn that into others)");
}

void save_text(const char* op, const std::string& path, const std::string& text) {
  NewFile file(op, path, NewFile::Existing::replaced, NewFile::Lasts::kills);
  file.write(text);
  file.publish();
}

void save_picture(const char* op, const std::string& path, const std::string& svg) {
  check_picture_name(op, path);
  save_text(op, path, svg);
}

}  // namespace capstan::plot::detail
