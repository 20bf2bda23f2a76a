#include "core/coordinator/acceptor.h"

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/support/status_matchers.h"

namespace reprise::coordinator {
namespace {

using reprise::testing::StatusIs;
using ::testing::_;

int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// The peer closed it: a read ends at once.
bool IsClosed(int fd) {
  timeval patience{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  return recv(fd, &byte, 1, 0) == 0;
}

class AcceptorTest : public ::testing::Test {
 protected:
  void Begin(const Acceptor::Limits& limits) {
    auto listening = Acceptor::Listen("127.0.0.1:0", limits);
    ASSERT_OK(listening);
    acceptor = *std::move(listening);
    acceptor->Start([this](int, int connection) {
      std::lock_guard lock(mutex);
      taken.push_back(connection);
      changed.notify_all();
    });
  }
  bool WaitFor(size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return taken.size() >= count; });
  }
  ~AcceptorTest() override {
    acceptor.reset();
    for (const int fd : taken) close(fd);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> taken;
  std::unique_ptr<Acceptor> acceptor;
};

TEST_F(AcceptorTest, TakesNoMoreThanItsShareFromOneAddressAndAgainWhenSomeHaveGone) {
  Begin({.connections_max = 100, .per_address_max = 3});
  std::vector<int> mine;
  for (int i = 0; i < 3; ++i) mine.push_back(Connect(acceptor->port()));
  ASSERT_TRUE(WaitFor(3));
  const int fourth = Connect(acceptor->port());
  EXPECT_TRUE(IsClosed(fourth));
  EXPECT_EQ(acceptor->Refused(), 1);
  {
    std::lock_guard lock(mutex);
    close(taken.back());
    taken.pop_back();
  }
  const int fifth = Connect(acceptor->port());
  EXPECT_TRUE(WaitFor(3));
  for (const int fd : mine) close(fd);
  close(fourth);
  close(fifth);
}

TEST_F(AcceptorTest, GoesOnAfterItRanOutOfDescriptors) {
  Begin({});
  std::vector<int> mine;
  for (int i = 0; i < 4; ++i) mine.push_back(Connect(acceptor->port()));
  ASSERT_TRUE(WaitFor(4));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  for (int i = 0; i < 4; ++i) mine.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(mine.back()) + 1;  // Not one more.
  // Whatever is free below is filled.
  std::vector<int> filling;
  setrlimit(RLIMIT_NOFILE, &few);
  for (int fd; (fd = dup(mine[0])) >= 0;) filling.push_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(acceptor->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (size_t i = 4; i < 8; ++i) {
    EXPECT_EQ(connect(mine[i], reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << "the backlog holds it";
  }
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
       acceptor->Refused() == 0 && std::chrono::steady_clock::now() < until;) {
  }
  EXPECT_GT(acceptor->Refused(), 0);
  EXPECT_EQ(taken.size(), 4);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(WaitFor(8)) << "those who waited are taken";
  for (const int fd : filling) close(fd);
  for (const int fd : mine) close(fd);
}

TEST(Acceptor, TakesAddressesAndNoNames) {
  EXPECT_THAT(Acceptor::Listen("localhost:0", {}), StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_THAT(Acceptor::Listen("127.0.0.1", {}), StatusIs(absl::StatusCode::kInvalidArgument, _));
  const auto first = Acceptor::Listen("127.0.0.1:0", {});
  ASSERT_OK(first);
  EXPECT_THAT(Acceptor::Listen("127.0.0.1:" + std::to_string((*first)->port()), {}),
              StatusIs(absl::StatusCode::kUnavailable, _));
  EXPECT_OK(Acceptor::Listen("[::]:0", {}));
}

}  // namespace
}  // namespace reprise::coordinator
