// What the plugin host says to the runner: JSON, one object a line, over a socket.
//   {"type":"started"}                               the plugin's code runs from here
//   {"type":"progress","fraction":0.5,"text":"…"}    at most 20 a second
//   {"type":"log","level":1,"text":"…"}              64 KiB in all
//   {"type":"result","result":{…}}                   the first one that the plugin gave
//   {"type":"descriptor","descriptor":{…}}           instead of a result, when asked to describe
//   {"type":"bad_result","message":"…"}              it gave one that cannot be handed on
//   {"type":"refused","message":"…"}                 the library cannot be loaded
//   {"type":"end","errno":0}                         what run() returned; the last line
// And what it hears: one request, then perhaps {"type":"cancel"}. Safe from any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace reprise::plugin_host {

inline constexpr size_t kLogBytesMax = 64 << 10;

class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}

  // The first line, or nothing if the runner is gone.
  std::string ReadRequest();
  // False once the runner is gone. Blocks. Touches no memory of the heap.
  bool WaitForCancel() const;

  void Started();
  void Progress(double fraction, const char* text);
  void Log(int level, const char* text);
  void Result(std::string_view json);
  void Descriptor(std::string_view json);
  void Refused(const std::string& message);
  void End(int number);

 private:
  void Send(std::string line);

  const int fd_;
  std::mutex mutex_;
  size_t log_bytes_ = 0;
  bool answered_ = false;
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace reprise::plugin_host
