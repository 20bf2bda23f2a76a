// A file of this machine on its way into the coordinator's store, with a bar where a person looks on. Private to commands.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/cli/context.h"

namespace reprise::cli {

// Size and SHA-256 of a file, read in parts. `kind`: "plugin" or "artifact"; the name is the file's.
absl::StatusOr<plan::v1::BlobInfo> MeasureFile(Context& context, const std::filesystem::path& path,
                                               const std::string& kind);

// FAILED_PRECONDITION: the file is another than the one that was measured.
absl::Status UploadFile(Context& context, const std::filesystem::path& path, const plan::v1::BlobInfo& info);

// What the store has of a kind.
absl::StatusOr<ops::BlobList> ListBlobs(Context& context, const std::string& kind);

// "plugin edr 1.2 is in the store: <sha256>" for people; nothing with -o json.
void SayUploaded(Context& context, const plan::v1::BlobInfo& info);

}  // namespace reprise::cli
