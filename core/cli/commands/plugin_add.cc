#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/plugin_signature.h"
#include "core/cli/commands/upload.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/plugin_file.h"
#include "core/crypto/sha256.h"
#include "core/plan/catalog.h"

namespace reprise::cli {
namespace {

// The signature beside the file, else one of my own; checked against the keyring either way.
absl::StatusOr<plan::v1::Signature> SignatureOf(Context& context, const model::Keyring& keyring,
                                                const std::filesystem::path& file, const std::string& bytes) {
  plan::v1::Signature signature;
  auto beside = ReadFile(SignatureFile(file));
  if (beside.ok()) {
    signature.set_minisig(*std::move(beside));
  } else if (absl::IsNotFound(beside.status())) {
    ASSIGN_OR_RETURN(signature, SignPlugin(context, bytes));
  } else {
    return beside.status();
  }
  const auto signer = SignerOfPlugin(keyring, bytes, signature);
  if (!signer.ok()) {
    return absl::Status(signer.status().code(),
                        absl::StrCat(file.string(), ": ", std::string(signer.status().message()),
                                     "\n  try: `reprise plugin sign ", file.string(), "`"));
  }
  context.Note(absl::StrCat(file.filename().string(), " is signed by ", *signer));
  return signature;
}

absl::StatusOr<plan::v1::BlobInfo> Describe(Context& context, const model::Keyring& keyring,
                                            const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(plan::v1::BlobInfo info, MeasureFile(context, file, "plugin"));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file));
  if (crypto::Sha256(bytes) != info.sha256()) {
    return absl::FailedPreconditionError(absl::StrCat(file.string(), " was changed while it was read; try again"));
  }
  // A foreign signature is judged before the library's code runs to describe itself.
  ASSIGN_OR_RETURN(*info.mutable_signature(), SignatureOf(context, keyring, file, bytes));
  ASSIGN_OR_RETURN(const PluginFile plugin, DescribePlugin(file));
  // What no plan could be made from is not stored.
  const auto read = plan::ReadDescriptor(plugin.descriptor_json, info.sha256());
  if (!read.ok()) {
    return absl::Status(read.status().code(), absl::StrCat(file.string(), ": ", std::string(read.status().message()),
                                                           "\n  try: `reprise plugin verify ", file.string(), "`"));
  }
  info.set_name(plugin.name);
  info.set_version(plugin.version);
  info.set_descriptor_json(plugin.descriptor_json);
  return info;
}

absl::StatusOr<int> Add(Context& context, const std::vector<std::string>& files) {
  ASSIGN_OR_RETURN(const model::Keyring keyring, FetchKeyring(context));
  ASSIGN_OR_RETURN(const auto known, ListBlobs(context, "plugin"));
  ops::BlobList added;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(*added.add_blobs(), Describe(context, keyring, file));
  }
  for (int i = 0; i < added.blobs_size(); ++i) {
    const auto& info = added.blobs(i);
    for (const auto& stored : known.blobs()) {
      if (stored.name() != info.name() || stored.version() != info.version() || stored.sha256() == info.sha256())
        continue;
      context.Note(absl::StrCat("another ", info.name(), " ", info.version(), " (",
                                ToHex(stored.sha256()).substr(0, 12),
                                "…) is in the store; two files with one version are hard to tell apart"));
    }
    RETURN_IF_ERROR(UploadFile(context, files[static_cast<size_t>(i)], info));
    SayUploaded(context, info);
  }
  if (context.json()) context.PrintJson(added);
  return kExitOk;
}

}  // namespace

Action DeclarePluginAdd(CommandLine& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  app.Option("FILE", *files, "Plugin libraries (.so)").Required();
  app.Footer(
      "Examples:\n"
      "  reprise plugin add build/plugins/edr.so\n"
      "  reprise plugin add /usr/lib/reprise/plugins/*.so\n"
      "FILE.minisig beside a file is taken as its signature; without one you sign with your own key. All files are\n"
      "checked before the first is sent. A plan runs the very bytes that it names, whatever is added later.");
  return [files](Context& context) { return Add(context, *files); };
}

}  // namespace reprise::cli
