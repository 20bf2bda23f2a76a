// What is known to be right on a host, as data: listeners, keys, files, programs with rights, and paths that are passed over,
// each with its reason. The one that is built in knows Debian 12; a site's own come as artifacts *.profile.json and add to it.
#pragma once

#include <string>
#include <vector>

#include "plugins/sanitize/finding.h"
#include "plugins/sdk/context.h"

namespace reprise::sanitize {

struct AllowedListener {
  std::string protocol;  // "tcp" or "udp".
  int port = 0;          // 0: any, for ports that change at each start.
  std::string program;   // Empty: whoever.
};

struct KnownFile {
  std::string path;
  std::string sha256;  // Empty: whatever it contains.
  std::string reason;
};

struct Ignored {
  std::string path;  // And all below.
  std::string kind;  // Empty: all kinds.
  std::string reason;
};

struct Profile {
  bool judges_listeners = false;  // Some profile lists them: others are findings then.
  std::vector<AllowedListener> listeners;
  std::vector<std::string> keys;      // Fingerprints, "SHA256:…".
  std::vector<std::string> suid;      // Programs that packages ship with SUID, SGID or capabilities.
  std::vector<std::string> generated; // Made by Debian's own scripts in system folders: shell patterns.
  std::vector<KnownFile> known;
  std::vector<Ignored> ignored;

  // Why the finding is none; empty: it is one.
  std::string WhyNone(const Finding& finding) const;
  bool Allows(const AllowedListener& listener) const;
  bool IsGenerated(const std::string& path) const;
};

// Adds a profile's text. Throws sdk::Error "bad_profile", which names the place.
void AddProfile(Profile& profile, const std::string& name, const std::string& text);
// The built-in one and those of the step.
Profile ProfileOf(const sdk::Context& context);

}  // namespace reprise::sanitize
