// Programs run as another user, who cannot become more than that.
#pragma once

#include <pwd.h>

#include <string>
#include <vector>

#include "plugins/sdk/process.h"

namespace reprise::sdk::application {

// The words by which setpriv becomes `user` with his own groups. Throws Error "no_user".
inline std::vector<std::string> UserWords(const std::string& user) {
  const passwd* found = getpwnam(user.c_str());
  if (found == nullptr) {
    throw Error("no_user", "user " + user + " is not on this host", "install the package that brings it, or name another in the profile");
  }
  return {"--reuid=" + std::to_string(found->pw_uid), "--regid=" + std::to_string(found->pw_gid), "--init-groups", "--no-new-privs"};
}

// The arguments that run `program` as that user.
inline std::vector<std::string> AsUser(const std::string& user, const std::vector<std::string>& program) {
  std::vector<std::string> arguments = {"setpriv"};
  for (std::string& word : UserWords(user)) arguments.push_back(std::move(word));
  arguments.push_back("--");
  arguments.insert(arguments.end(), program.begin(), program.end());
  return arguments;
}

}  // namespace reprise::sdk::application
