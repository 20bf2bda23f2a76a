#include "core/cli/commands/plan_site.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/keyring_chain.h"
#include "core/cli/plugin_file.h"
#include "core/crypto/sha256.h"

namespace reprise::cli {
namespace {

// What people signed about a host is in force; of the others the dossier says where they stand.
plan::KnownHost KnownOf(const ops::HostView& view) {
  plan::KnownHost known;
  if (view.admitted()) {
    known.zone = view.zone();
    known.asset_class = view.asset_class();
    known.trust = view.trust();
  }
  known.hold = view.hold();
  known.enrolled = view.enrolled();
  known.admitted = view.admitted();
  known.connected = view.connected();
  known.last_contact = view.last_contact_ms();
  return known;
}

}  // namespace

absl::StatusOr<PlanSite> AskSite(Context& context) {
  PlanSite site;
  site.asked = true;
  ASSIGN_OR_RETURN(site.keyring, FetchKeyring(context));
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const auto hosts, client->Call<ops::HostList>("ListHosts", ops::ListHostsRequest()));
  for (const auto& view : hosts.hosts()) site.known.emplace(view.name(), KnownOf(view));
  site.hosts = {hosts.hosts().begin(), hosts.hosts().end()};
  ASSIGN_OR_RETURN(const auto judged, client->Call<ops::RecoveryPointList>("ListRecoveryPoints", ops::Empty()));
  for (const auto& point : judged.points()) {
    site.points.push_back({.verdict = point.verdict(), .judged_by = point.host(), .judged = point.at_ms()});
  }
  ASSIGN_OR_RETURN(const auto blobs, client->Call<ops::BlobList>("ListBlobs", ops::ListBlobsRequest()));
  ASSIGN_OR_RETURN(site.catalog, plan::MakeCatalog({blobs.blobs().begin(), blobs.blobs().end()}));
  return site;
}

absl::StatusOr<PlanSite> SiteOfFiles(const std::vector<std::string>& plugins,
                                     const std::vector<std::string>& artifacts) {
  PlanSite site;
  for (const std::string& path : plugins) {
    ASSIGN_OR_RETURN(const PluginFile file, DescribePlugin(path));
    ASSIGN_OR_RETURN(const std::string sha256, crypto::Sha256OfFile(path));
    ASSIGN_OR_RETURN(plan::PluginSpec spec, plan::ReadDescriptor(file.descriptor_json, sha256));
    if (site.catalog.Find(spec.name) != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("two of the files are plugin ", spec.name, ": a plan names one"));
    }
    site.catalog.plugins.push_back(std::move(spec));
  }
  for (const std::string& path : artifacts) {
    plan::v1::ArtifactRef artifact;
    artifact.set_name(std::filesystem::path(path).filename().string());
    ASSIGN_OR_RETURN(*artifact.mutable_sha256(), crypto::Sha256OfFile(path));
    std::error_code error;
    artifact.set_size(std::filesystem::file_size(path, error));
    if (error) return absl::InternalError(absl::StrCat(path, ": ", error.message()));
    site.catalog.artifacts.push_back(std::move(artifact));
  }
  return site;
}

}  // namespace reprise::cli
