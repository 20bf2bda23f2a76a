// The files of examples/plugin-hello, as they were when this was built.
#pragma once

#include <vector>

namespace reprise::skeleton {

struct ExampleFile {
  const char* path;
  const char* content;
};

const std::vector<ExampleFile>& ExampleFiles();

}  // namespace reprise::skeleton
