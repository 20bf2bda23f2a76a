// Whoever is inside may write any source on a packet: what the gateway answers to it must reach nobody outside.
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>

#include <fstream>
#include <sstream>

#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {
namespace {

// Of the calling thread's network: answers to echoes, and errors, that came by ICMP.
int64_t Answers() {
  int64_t sum = 0;
  std::ifstream six("/proc/thread-self/net/snmp6");
  std::string word;
  for (int64_t value; six >> word >> value;) {
    // Not all that came: neighbours ask for each other all the time.
    for (const char* kind : {"EchoReplies", "TimeExcds", "DestUnreachs", "ParmProblems"}) sum += word == std::string("Icmp6In") + kind ? value : 0;
  }
  std::ifstream four("/proc/thread-self/net/snmp");
  for (std::string names, values; std::getline(four, names) && std::getline(four, values);) {
    std::istringstream left(names), right(values);
    for (std::string value; names.rfind("Icmp:", 0) == 0 && left >> word && right >> value;) sum += word == "InMsgs" ? std::stoll(value) : 0;
  }
  return sum;
}

int64_t ArrivedAt(Site& site) {
  int64_t count = 0;
  In(site.side("outside"), [&] { count = Answers(); });
  return count;
}

uint16_t Checksum(const std::string& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint16_t word;
    std::memcpy(&word, bytes.data() + i, 2);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

struct Forged {
  std::string from, to;
  int hops = 64;
  bool odd_option = false;  // IPv6: a hop-by-hop option that nobody knows, and that asks to be told so.
};

// From inside, with a source that is not the sender's.
void Send(Site& site, const Forged& forged) {
  const bool six = forged.from.find(':') != std::string::npos;
  In(site.side("inside"), [&] {
    const int level = six ? int{IPPROTO_IPV6} : int{IPPROTO_IP}, one = 1;
    const int fd = socket(six ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, six ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP});
    ASSERT_GE(fd, 0);
    socklen_t size = 0;
    const sockaddr_storage from = SocketAddress(forged.from, 0, size);
    ASSERT_EQ(setsockopt(fd, level, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, &one, sizeof one), 0);
    ASSERT_EQ(setsockopt(fd, level, six ? IPV6_UNICAST_HOPS : IP_TTL, &forged.hops, sizeof forged.hops), 0);
    if (forged.odd_option) {
      const std::string options("\0\0\x9e\x04\0\0\0\0", 8);
      ASSERT_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, options.data(), static_cast<socklen_t>(options.size())), 0);
    }
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&from), size), 0) << forged.from << ": " << strerror(errno);
    std::string echo(64, 'x');
    echo[0] = static_cast<char>(six ? ICMP6_ECHO_REQUEST : ICMP_ECHO);
    echo[1] = echo[2] = echo[3] = '\0';
    if (!six) {
      const uint16_t sum = Checksum(echo);
      std::memcpy(echo.data() + 2, &sum, 2);
    }
    const sockaddr_storage to = SocketAddress(forged.to, 0, size);
    EXPECT_EQ(sendto(fd, echo.data(), echo.size(), 0, reinterpret_cast<const sockaddr*>(&to), size), 64) << forged.from << " to " << forged.to << ": " << strerror(errno);
    close(fd);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
}

TEST(Reflection, NothingThatTheGatewayAnswersGoesToAForgedSource) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    for (const char* strict : {"all", "in0", "out0"}) {
      Command({"sysctl", "-q", "-w", "net.ipv4.conf." + std::string(strict) + ".rp_filter=0"});
    }
    ASSERT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443) && site.Reaches("fd00:20::2", "fd00:1::9", 443));
    In(site.side("inside"), [] {
      ASSERT_TRUE(Command({"ip", "route", "add", "198.51.100.0/24", "via", "10.20.0.1"}));
      ASSERT_TRUE(Command({"ip", "route", "add", "2001:db8::/64", "via", "fd00:20::1"}));
    });
    const std::vector<Forged> all = {{"10.1.0.9", "10.20.0.1"},
                                     {"10.1.0.9", "10.1.0.1"},
                                     {"10.1.0.9", "10.1.0.2", 1},
                                     {"10.1.0.9", "198.51.100.7"},
                                     {"fd00:1::9", "fd00:20::1"},
                                     {"fd00:1::9", "fd00:1::1"},
                                     {"fd00:1::9", "fd00:1::2", 1},
                                     {"fd00:1::9", "2001:db8::7"},
                                     {"fd00:1::9", "fd00:20::1", 64, true}};
    const auto arrives = [&](const Forged& forged) {
      const int64_t before = ArrivedAt(site);
      Send(site, forged);
      return ArrivedAt(site) - before;
    };
    for (const Forged& forged : all) {
      EXPECT_GT(arrives(forged), 0) << "without a bubble " << forged.from << " to " << forged.to << ", " << forged.hops << " hops";
    }

    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    arrives(all[0]);  // Whatever was under way.
    for (const Forged& forged : all) {
      EXPECT_EQ(arrives(forged), 0) << forged.from << " to " << forged.to << ", " << forged.hops << " hops";
    }
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443)) << "management";
    EXPECT_TRUE(site.Reaches("fd00:20::2", "fd00:1::2", 7443));
  });
}

}  // namespace
}  // namespace reprise::bubble
