// One copy, attached read-only: an image through a loop device that was opened for reading, a block device after its own
// read-only switch was set, a folder by a bind mount. File systems are mounted so that nothing is replayed into them.
// Needs root, outside of any sandbox.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugins/backup/holder/wanted.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {

class Attachment {
 public:
  // Attaches it, or takes over what an earlier holder left attached at the target. Throws std::runtime_error.
  explicit Attachment(Wanted wanted);
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Tries anew to write, and asks the kernel: {"source", "target", "kind", "device", "major_minor", "getro", "fstype",
  // "mount_options", "super_options", "write": {"tried", "error"}, "readonly": whether all of it says so}.
  nlohmann::json Proof() const;

  // Unmounts and lets the device go. Empty, or what still uses it: then it is gone from sight, and ends with its last user.
  std::string Detach();

 private:
  enum class Kind { kFolder, kImage, kDevice };
  void MakeTarget();
  void AttachImage();
  void SwitchReadOnly();
  void MountFileSystem();
  void MountFolder();

  const Wanted wanted_;
  Kind kind_ = Kind::kFolder;
  std::string device_;  // /dev/loop3; empty for a folder.
  sdk::Fd loop_;
};

// A line of /proc/self/mountinfo, of the last mount at `target`.
struct MountLine {
  std::string major_minor, root, options, fstype, source, super_options;
};
// False: nothing is mounted there. `mountinfo`: the file's text.
bool FindMount(const std::string& mountinfo, const std::string& target, MountLine& line);

// "ext4", …; empty: none that is known here.
std::string FileSystemOf(const std::string& device);

}  // namespace reprise::backup
