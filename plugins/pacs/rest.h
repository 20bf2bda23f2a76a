// Orthanc's REST interface on this host, over one connection that is opened anew when the server has closed it. Only what
// the adapter needs of HTTP/1.1: answers with a length, bodies that are files.
//
// Nobody answers, or stops in the middle: Error "unreachable". Cancelled: Error "cancelled". Not thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "plugins/pacs/settings.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::pacs {

struct Response {
  int status = 0;
  std::string body;

  bool ok() const { return status == 200; }
  // As JSON. Throws Error "bad_answer".
  sdk::Json Parsed() const;
};

class Rest {
 public:
  Rest(const sdk::Context& context, const Settings& settings);

  Response Get(const std::string& path);
  Response Post(const std::string& path, std::string_view body);
  Response PostFile(const std::string& path, const std::filesystem::path& file);
  Response Delete(const std::string& path);
  // Of a body of any size; the status alone if it is not 200.
  Response Sha256Of(const std::string& path, std::string* sha256);

  // What a body may have at most, where it is held in memory.
  static constexpr size_t kBodyMax = 64 << 20;

 private:
  using Sink = std::function<void(std::string_view)>;

  Response Ask(const std::string& method, const std::string& path, uint64_t length, const std::function<void()>& send_body,
               const Sink& sink);
  void Connect();
  void Send(std::string_view bytes);
  // Zero once the server has closed.
  size_t Receive(char* into, size_t max);
  void Wait(short what) const;
  [[noreturn]] void Lost(const std::string& what) const;

  const sdk::Context& context_;
  const int port_;
  const std::string authorization_;
  sdk::Fd socket_;
  std::string ahead_;  // Received and not yet used.
};

}  // namespace reprise::pacs
