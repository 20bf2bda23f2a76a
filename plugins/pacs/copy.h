// Copies the files of a recovery point, as its manifest has them, into a folder of our own, and goes on where a former
// copy was cut off. The source is only read. What is there at the end is proven by its own manifest, not by the copying.
#pragma once

#include <filesystem>
#include <functional>

#include "plugins/sdk/context.h"
#include "plugins/sdk/manifest.h"

namespace reprise::pacs {

// `from`: where a file of the manifest is. A file that is there with its length is taken to be copied. Error "disk_full" before
// anything is written if there is no room. Durable when it returns.
void CopyPoint(const sdk::Context& context, const sdk::Manifest& manifest,
               const std::function<std::filesystem::path(const std::string&)>& from, const std::filesystem::path& into);

}  // namespace reprise::pacs
