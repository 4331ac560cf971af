// The one writer of files, where a path leads elsewhere: links, standard output, open descriptors.
#include <fcntl.h>

#include <cstdio>

#include "../child.h"
#include "../files.h"
#include "new_file.h"
#include "support.h"

namespace {

bool is_link(const std::string& path) { return std::filesystem::is_symlink(path); }

}  // namespace

TEST(NewFile, LinksStayLinks) {
  const Folder folder;
  std::filesystem::create_directory(folder.file("far"));
  const std::string near = folder.file("near"), second = folder.file("second");
  ASSERT_EQ(::symlink("second", near.c_str()), 0);
  ASSERT_EQ(::symlink("far/file", second.c_str()), 0);
  for (const Existing existing : {Existing::refused, Existing::replaced, Existing::replaced}) {  // it dangles at first
    save(near, "new", existing);
    EXPECT_TRUE(is_link(near) && is_link(second));
    EXPECT_EQ(read(folder.file("far/file")), "new");
  }
  EXPECT_EQ(folder.names().size(), 3u);
  ASSERT_EQ(::symlink("loop", folder.file("loop").c_str()), 0);
  EXPECT_EQ(thrown([&] { save(folder.file("loop"), "x"); }), refusal(folder.file("loop"), ELOOP));
  ASSERT_EQ(::symlink("no/where", folder.file("lost").c_str()), 0);
  EXPECT_EQ(thrown([&] { save(folder.file("lost"), "x"); }), refusal(folder.file("lost"), ENOENT, " (create the directory first?)"));
  EXPECT_TRUE(is_link(folder.file("lost")));
}

TEST(NewFile, StandardOutputKeepsWhatWasPrinted) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    const Folder folder;
    EXPECT_EQ(in_a_child([&] {
                if (!std::freopen(folder.file("out").c_str(), "w", stdout)) return 2;
                const std::size_t before = folder.names().size();
                for (int i = 0; i < 3; ++i) {
                  std::printf("line %d\n", i);
                  save(name, "picture\n", i == 0 ? Existing::refused : Existing::replaced);
                }
                std::printf("end\n");
                std::fflush(stdout);
                return folder.names().size() == before ? 0 : 3;
              }),
              "exit 0");
    EXPECT_EQ(read(folder.file("out")), "line 0\npicture\nline 1\npicture\nline 2\npicture\nend\n") << name;
    EXPECT_EQ(is_link("/dev/stdout"), true);
  }
}

TEST(NewFile, OpenDescriptorsAreWrittenThrough) {
  const Folder folder;
  const int own = ::open(folder.file("own").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(own, "before,", 7), 7);
  const std::string number = std::to_string(own), link = folder.file("link");
  ASSERT_EQ(::symlink(("/proc/self/fd/" + number).c_str(), link.c_str()), 0);
  save("/dev/fd/" + number, "one,");
  save("/proc/" + std::to_string(::getpid()) + "/fd/" + number, "two,");
  save("/proc/thread-self/fd/" + number, "three,");
  save(link, "four,");
  ::unlink(folder.file("own").c_str());  // its name is no name of it any more
  save(link, "five");
  EXPECT_TRUE(is_link(link));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"link"});
  const std::string ours = "/proc/" + std::to_string(::getpid()) + "/fd/" + number;
  EXPECT_EQ(in_a_child([&] {
              ::close(own);
              save(ours, ",a child's");
              return 0;
            }),
            "exit 0");
  std::string text(100, '\0');
  text.resize(static_cast<std::size_t>(::pread(own, text.data(), text.size(), 0)));
  EXPECT_EQ(text, "before,one,two,three,four,five,a child's");
  ::close(own);
  EXPECT_EQ(thrown([&] { save(link, "x"); }), refusal(link, ENOENT, " (create the directory first?)"));
}

TEST(NewFile, NeverTakesTheDescriptorsOfAProgramThatWasStartedWithout) {
  for (const int missing : {0, 1, 2}) {
    const Folder folder;
    EXPECT_EQ(in_a_child([&] {
                ::close(missing);
                NewFile file("save", folder.file("x"), Existing::replaced);
                const bool taken = ::write(missing, "a message\n", 10) >= 0;
                file.write("bytes");
                file.publish();
                return taken || ::fcntl(missing, F_GETFD) >= 0 ? 1 : 0;
              }),
              "exit 0");
    EXPECT_EQ(read(folder.file("x")), "bytes");
  }
}

TEST(NewFile, OpenFileTakesNoStandardDescriptorForReadingEither) {
  EXPECT_EQ(in_a_child([&] {
              for (const int standard : {0, 1, 2}) ::close(standard);
              const int file = capstan::detail::open_file("/dev/zero", O_RDONLY);
              return file > 2 && (::fcntl(file, F_GETFD) & FD_CLOEXEC) ? 0 : 1;
            }),
            "exit 0");
}
