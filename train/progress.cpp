#include <capstan/train/progress.h>

#include <capstan/core/text.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace capstan {

using capstan::detail::fail;

namespace {

constexpr double kRedrawSeconds = 0.05;
constexpr int kMaxBar = 30, kMinBar = 6;

double now() noexcept { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool terminal_shows_unicode() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(variable); value && *value)
      return std::strstr(value, "UTF-8") || std::strstr(value, "utf8") || std::strstr(value, "UTF8");
  return false;
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term && std::strcmp(term, "dumb") == 0;
}

std::string text(double value, std::chars_format format, int precision) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, precision).ptr);
}

/// Four significant digits, trailing zeros kept, so that a line does not jump about: 0.2310, 12.30, 12345, 1.234e+09.
std::string value_text(double value) {
  if (value == 0) value = 0;  // -0 too
  const double size = std::abs(value);
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (size != 0 && (size < 1e-3 || size >= 1e9)) return text(value, std::chars_format::scientific, 3);
  return text(value, std::chars_format::fixed, size == 0 ? 3 : std::max(0, 3 - static_cast<int>(std::floor(std::log10(size)))));
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e9));
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? std::to_string(hours) + ":" + two(minutes) + ":" + two(whole % 60) : std::to_string(minutes) + ":" + two(whole % 60);
}

std::string seconds_text(double seconds) { return seconds < 100 ? text(seconds, std::chars_format::fixed, 2) + " s" : clock_text(seconds); }

/// Names come from the user: a line break or an escape sequence in one would tear the line.
std::string printable(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

/// Bytes that begin a character count one column, those of wide scripts (U+1100 and above) two.
int columns_of(const std::string& line) {
  int columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const auto next = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0u;
    if ((byte & 0xC0) == 0x80) continue;
    const bool is_wide = byte > 0xE2 || (byte == 0xE1 && next >= 0x84);
    columns += is_wide ? 2 : 1;
  }
  return columns;
}

void cut(std::string& line, int columns) {
  while (columns_of(line) > columns) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
    if (!line.empty()) line.pop_back();
  }
}

std::string bar_text(double done, int width, bool unicode) {
  const int filled = static_cast<int>(std::lround(done * width));
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? (unicode ? "━" : "#") : (unicode ? "─" : "-");
  return bar;
}

}  // namespace

Progress::Progress(std::int64_t epochs, std::int64_t steps_per_epoch, ProgressOptions options)
    : epochs_(epochs), steps_(steps_per_epoch), done_(options.done), epoch_(options.done), file_(options.file ? options.file : stderr) {
  if (epochs < 0 || steps_per_epoch < 0)
    fail<ValueError>("Progress", "totals cannot be negative: epochs ", epochs, ", steps per epoch ", steps_per_epoch,
                     " (0 stands for unknown)");
  if (done_ < 0 || (epochs > 0 && done_ > epochs))
    fail<ValueError>("Progress", "the epochs that are done must lie in [0, epochs]: ", done_, " of ", epochs,
                     " (epochs is the number of the last one)");
  const bool is_terminal = ::isatty(::fileno(file_)) != 0 && !is_dumb();
  live_ = options.style == ProgressStyle::live || (options.style == ProgressStyle::automatic && is_terminal);
  plain_ = options.style == ProgressStyle::plain || (options.style == ProgressStyle::automatic && !is_terminal);
  unicode_ = terminal_shows_unicode();
  start_ = epoch_start_ = now();
}

bool Progress::due() noexcept { return now() >= next_draw_; }

int Progress::columns() const noexcept {
  winsize size{};
  return ::ioctl(::fileno(file_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void Progress::draw(std::initializer_list<NamedValue> values) {
  shown_.clear();
  for (const NamedValue& v : values) shown_.push_back({printable(v.name), v.value});
  for (const Kept& k : kept_)
    if (std::none_of(shown_.begin(), shown_.end(), [&](const Kept& s) { return s.name == k.name; })) shown_.push_back(k);
  write_line(false);
  next_draw_ = now() + kRedrawSeconds;
}

std::string Progress::left_text(double elapsed) const {
  const double in_epoch = steps_ > 0 ? std::min(1.0, static_cast<double>(step_) / static_cast<double>(steps_)) : 0;
  const double done = static_cast<double>(epoch_ - done_) + in_epoch, total = static_cast<double>(epochs_ - done_);
  if (epochs_ == 0 || done <= 0) return "";
  return ", " + clock_text(std::ceil(elapsed / done * (total - done))) + " left";
}

/// Leaves the cursor after the line, one column short of the edge at most: a full line would wrap on some terminals.
void Progress::write_line(bool last) {
  const int room = columns() - 1;
  const double elapsed = now() - start_;
  const std::int64_t number = last ? epoch_ : epoch_ + 1;
  const std::string head = "epoch " + std::to_string(number) + (epochs_ > 0 ? "/" + std::to_string(epochs_) : "");
  std::string done_text, values, time = "  " + (last ? seconds_text(elapsed) : clock_text(elapsed) + left_text(elapsed));
  const double done = steps_ > 0 ? std::min(1.0, static_cast<double>(step_) / static_cast<double>(steps_)) : 0;
  if (!last && steps_ > 0) {
    const std::string percent = std::to_string(static_cast<int>(100 * done));
    done_text = std::string(5 - percent.size(), ' ') + percent + "%";
  } else if (!last) {
    done_text = "  step " + std::to_string(step_);
  }
  for (const Kept& k : shown_) {
    const std::string piece = "  " + k.name + " " + value_text(k.value);
    if (values.empty() && columns_of(head + done_text + piece + time) > room) time.clear();
    if (columns_of(head + done_text + values + piece + time) <= room) values += piece;
  }
  const int bar = std::min(kMaxBar, room - columns_of(head + done_text + values + time) - 1);
  std::string line = head;
  if (!last && steps_ > 0 && bar >= kMinBar) line += " " + bar_text(done, bar, unicode_);
  line += done_text + values + time;
  cut(line, std::max(room, 0));
  line = "\r" + line + "\x1b[K" + (last ? "\n" : "");
  std::fwrite(line.data(), 1, line.size(), file_);
  std::fflush(file_);
  drawn_ = !last;
}

void Progress::end_epoch(std::initializer_list<NamedValue> values) {
  ++epoch_;
  kept_.clear();
  for (const NamedValue& v : values) kept_.push_back({printable(v.name), v.value});
  const double time = now();
  if (plain_) {
    std::string number = std::to_string(epoch_), total = std::to_string(epochs_);
    if (number.size() < total.size()) number.insert(0, total.size() - number.size(), ' ');
    std::string line = "epoch " + number + (epochs_ > 0 ? "/" + total : "");
    for (const Kept& k : kept_) line += "  " + k.name + " " + value_text(k.value);
    line += "  " + seconds_text(time - epoch_start_) + "\n";
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fflush(file_);
  }
  step_ = 0;
  epoch_start_ = time;
  if (!live_) return;
  if (epoch_ == epochs_) {
    drawn_ = true;
    finish();
  } else if (due()) {
    draw({});
  }
}

void Progress::finish() noexcept {
  if (!drawn_) return;
  try {
    if (epoch_ > done_) {
      shown_ = kept_;
      write_line(true);
    } else {
      std::fputc('\n', file_);
      std::fflush(file_);
    }
  } catch (...) {
    std::fputc('\n', file_);
  }
  drawn_ = live_ = false;
}

}  // namespace capstan
