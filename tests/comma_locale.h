#pragma once
#include <gtest/gtest.h>
#include <libintl.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <locale>
#include <optional>
#include <string>

/// While it lives, the program has a locale in which 1234.5 is written 1.234,5 and the system says "gibt es nicht": C's, by
/// setlocale(), and C++'s, by std::locale::global(). localedef makes it, which glibc brings, of a character set and a
/// definition that are written here: no package of locales is needed.
class CommaLocale {
 public:
  CommaLocale() : before_(std::setlocale(LC_ALL, nullptr)), messages_(::bindtextdomain("libc", nullptr)) {
    char name[] = "/tmp/capstan_locale_XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(folder_ + "/ascii") << "<code_set_name> ANSI_X3.4-1968\n<comment_char> %\n<escape_char> /\n<mb_cur_max> 1\nCHARMAP\n"
                                         "<U0000>..<U007F> /x00 all\nEND CHARMAP\n";
    std::ofstream(folder_ + "/definition") << "LC_CTYPE\nEND LC_CTYPE\nLC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"<U002E>\"\n"
                                              "grouping 3;3\nEND LC_NUMERIC\n";
    // It warns of categories without a definition, and has to be forced (-c).
    const std::string make = "cd " + folder_ + " && LC_ALL=C localedef -c -i ./definition -f ./ascii ./comma >log 2>&1";
    std::filesystem::create_directories(folder_ + "/comma/LC_MESSAGES");
    write_catalogue();
    EXPECT_EQ(std::system((make + "; test -f comma/LC_NUMERIC || { cat log >&2; false; }").c_str()), 0);
    if (const char* path = std::getenv("LOCPATH")) locpath_ = path;
    ::setenv("LOCPATH", folder_.c_str(), 1);
    ::bindtextdomain("libc", folder_.c_str());
#if defined(__SANITIZE_ADDRESS__)
    const __lsan::ScopedDisabler of_glibc;  // which never gives back the path that it made of LOCPATH
#endif
    EXPECT_TRUE(std::setlocale(LC_ALL, "comma"));
    EXPECT_STREQ(std::localeconv()->decimal_point, ",");
    std::locale::global(std::locale(std::locale("comma"), new Commas));
  }
  ~CommaLocale() {
    std::locale::global(std::locale::classic());
    std::setlocale(LC_ALL, before_.c_str());
    ::bindtextdomain("libc", messages_.c_str());
    locpath_ ? ::setenv("LOCPATH", locpath_->c_str(), 1) : ::unsetenv("LOCPATH");
    std::filesystem::remove_all(folder_);
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;

 private:
  struct Commas : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  /// One message of the C library, as msgfmt would write it: magic, version, count, places of both tables, no hash table.
  void write_catalogue() const {
    const std::string from = "No such file or directory", to = "gibt es nicht";
    const std::uint32_t text = 7 * 4 + 2 * 8, size = static_cast<std::uint32_t>(from.size());
    const std::uint32_t head[] = {0x950412de, 0, 1, 28, 36, 0, text, size, text, static_cast<std::uint32_t>(to.size()), text + size + 1};
    std::ofstream file(folder_ + "/comma/LC_MESSAGES/libc.mo", std::ios::binary);
    file.write(reinterpret_cast<const char*>(head), sizeof head) << from << '\0' << to << '\0';
  }

  std::string folder_, before_, messages_;
  std::optional<std::string> locpath_;
};
