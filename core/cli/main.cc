// reprise: the command line for operators, plugin authors and auditors. See README.md in this folder.
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/cli/application.h"
#include "core/cli/commands/commands.h"
#include "core/cli/context.h"
#include "core/cli/grpc_client.h"

namespace {

termios g_terminal;

// Interrupted while a password is typed: the shell gets its echo back. Then the signal does what it always does.
void OnInterrupt(int number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &g_terminal);
  signal(number, SIG_DFL);
  raise(number);
}

void SetSignals() {
  // A pipe whose reader has gone (`| head`) is an error of the write, seen where it is written.
  signal(SIGPIPE, SIG_IGN);
  if (tcgetattr(STDIN_FILENO, &g_terminal) != 0) return;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present {};
    // What nohup or a shell in the background ignores stays ignored.
    if (sigaction(number, nullptr, &present) == 0 && present.sa_handler != SIG_IGN) signal(number, OnInterrupt);
  }
}

// Whoever read the output has had enough, as `head` has: no failure.
bool ReaderIsGone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

int main(int argc, char** argv) {
  SetSignals();
  const reprise::SystemClock clock;
  reprise::SystemRandom random;
  reprise::cli::ProcessTerminal terminal;
  reprise::cli::Context context(terminal, clock, random, reprise::cli::ConnectOverGrpc);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    const int code =
        reprise::cli::RunApplication(reprise::cli::Groups(), reprise::cli::Commands(), arguments, context);
    std::cout << std::flush;
    // What was asked for could not be kept, as on a full disk.
    if (code == reprise::cli::kExitOk && !std::cout && !ReaderIsGone()) {
      std::cerr << "reprise: the output could not be written\n";
      return reprise::cli::kExitFailure;
    }
    return code;
  } catch (const std::exception& error) {
    std::cerr << "reprise: " << error.what() << '\n';
    return reprise::cli::kExitFailure;
  }
}
