#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <string>

/// What `body` returns in a child of this process: 0 to 255. A child that hangs is ended after two minutes.
template <class Body>
std::string in_a_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(120);
    ::_exit(body());
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return "no child";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}
