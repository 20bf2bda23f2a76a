// A vendor's sensor as data: what is installed, how it is run, how it is asked. See profiles/README.md for the format.
// Plain values; whoever holds a Profile holds one that was checked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/pattern.h"

namespace reprise::edr {

enum class Need {
  kAlways,      // The sensor itself: its artifact must be there, unless it is installed already.
  kOptional,    // Installed where the step has its artifact.
  kDependency,  // Installed only where the host lacks it; uninstall leaves it.
};

struct PackageRule {
  std::string package;
  std::string artifact;  // Pattern for the artifact's name.
  Need need = Need::kAlways;
};

struct FileRule {
  std::string path;
  std::string content;
  unsigned mode = 0644;
  std::string supervisor;  // "runit", "systemd", or empty: wherever.
};

enum class Speaks {
  kClamd,    // clamd's protocol on a socket in the file system
  kCommand,  // a program for each scan
};

struct SensorRule {
  Speaks speaks = Speaks::kClamd;
  std::string socket;                        // kClamd
  std::vector<std::string> version_command;  // kCommand
  std::vector<std::string> scan_command;     // kCommand; {file} stands for the file.
  std::vector<int> clean_exits, infected_exits;
  std::string found_after, found_before;     // kCommand: the signature's name stands between these.
  // Lines that these files must have, or the sensor's OK may mean that it did not look.
  std::map<std::string, std::vector<std::string>> scan_requires;
  // Patterns of "signatures" that say no more than that it did not look.
  std::vector<std::string> not_scanned_names;
  int file_mb_max = 100;
};

struct Profile {
  std::string name;
  std::string vendor;
  std::vector<PackageRule> packages;
  std::vector<FileRule> files;
  std::string signatures_folder;
  std::vector<std::string> signatures_artifacts;  // Patterns.
  std::string runit_name, runit_run;
  std::string systemd_name;
  std::string log;  // Where the sensor says why it does not start; may be empty.
  SensorRule sensor;
  std::vector<std::string> leftovers;  // Folders that are the sensor's alone: gone after uninstall.
};

using sdk::Matches;

// Throws Error "bad_profile", saying where and what was expected. `where` names the text in messages.
Profile ParseProfile(const std::string& text, const std::string& where);

// The parameter `profile`: the artifact <name>.profile.json if the step has it, else the one built in.
Profile ProfileOf(const sdk::Context& context);

}  // namespace reprise::edr
