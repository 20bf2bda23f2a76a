// A folder with all that is below it, looked at by several threads: one by one, a hundred thousand files take as long to be
// asked for as to be judged. Follows no symbolic link but the one that it may be given.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "plugins/backup/worker/job.h"

namespace reprise::backup {

struct Listing;

struct Entry {
  std::string path;  // Of its folder, with a / and its name behind it.
  mode_t mode = 0;  // 0: it could not be looked at, `error` says why.
  int error = 0;
  bool looked = true;  // False: that it is a file is all that is known, and its size is a guess.
  Stamp stamp;
  std::unique_ptr<Listing> below;  // Of a folder.
};

struct Listing {
  std::vector<Entry> entries;  // Sorted bytewise by path.
  int error = 0;               // Why not all of them could be told.
};

Stamp StampOf(const struct stat& found);

// Throws std::bad_alloc. What cannot be read is said in the listing. `every`: looks at every file; otherwise, where very many
// stand in one folder, only at some of them.
Listing ListingOf(const std::string& folder, bool every);

}  // namespace reprise::backup
