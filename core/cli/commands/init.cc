#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/founding_site.h"

namespace reprise::cli {
namespace {

struct InitFlags {
  FoundingRequest request;
  std::string data;
  std::string key_file;
  std::vector<std::string> protected_classes;
};

absl::StatusOr<std::vector<model::v1::AssetClass>> ReadClasses(const std::vector<std::string>& words) {
  std::vector<model::v1::AssetClass> classes;
  for (const std::string& word : words) {
    if (word == "none" && words.size() == 1) return classes;
    const auto read = model::FromName<model::v1::AssetClass>(word);
    if (!read) {
      const auto names = model::NamesOf<model::v1::AssetClass>();
      const std::string nearest = NearestName(word, names);
      return UsageError(absl::StrCat("--protected-class: \"", word, "\" is no class; expected ",
                                     absl::StrJoin(names, ", "), ", or none",
                                     nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
    }
    classes.push_back(*read);
  }
  return classes;
}

// 64 digits as people compare them: in groups of four, on two lines.
std::string OnPaper(const std::string& hex) {
  std::string text;
  for (size_t i = 0; i < hex.size(); i += 4) {
    absl::StrAppend(&text, i == 0 ? "" : i == hex.size() / 2 ? "\n      " : " ", hex.substr(i, 4));
  }
  return text;
}

void Tell(Context& context, const FoundingRequest& request, const FoundedSite& site) {
  const auto& say = [&](auto&&... parts) { context.Say(absl::StrCat(parts...)); };
  const std::string folder = site.profile.folder.string();
  say("The site ", request.config.site, " is founded in ", request.data.string(), "; the profile of ", request.founder,
      " is in ", folder, ".");
  say("");
  say("Write on paper, and keep it where no computer is:");
  say("  Keyring, SHA-256 (agents and operators pin it)\n      ", OnPaper(site.keyring_fingerprint));
  say("  Authority, SHA-256 of its certificate\n      ", OnPaper(site.ca_fingerprint));
  say("  Journal, event 1\n      ", OnPaper(site.journal_head));
  say("  Key of ", request.founder, ", id ", site.key_id, "\n      ", site.public_key);
  say("");
  say("Next:");
  say("  1. reprise-coordinator --data ", request.data.string());
  say("  2. reprise --profile ", folder, " status");
  say("  3. reprise --profile ", folder, " inventory import DOSSIER");
  say("  4. reprise --profile ", folder, " key add NAME --roles admin --new-profile FOLDER      a second admin");
  say("Copy ", request.data.string(), " and ", folder,
      " to a medium that is kept offline: nobody can make them again.");
}

absl::StatusOr<int> Init(Context& context, InitFlags flags) {
  FoundingRequest& request = flags.request;
  // Whole paths: what is printed is copied into scripts and units.
  request.data = std::filesystem::absolute(flags.data).lexically_normal();
  request.key_file = flags.key_file;
  request.profile = std::filesystem::absolute(ProfileFolder(context.flags.profile)).lexically_normal();
  ASSIGN_OR_RETURN(request.policy.protected_classes, ReadClasses(flags.protected_classes));
  ASSIGN_OR_RETURN(const FoundedSite site, FoundSite(context, request));
  if (context.json()) {
    context.PrintJson(Json{{"site", request.config.site},
                           {"data", request.data.string()},
                           {"profile", site.profile.folder.string()},
                           {"operator", request.founder},
                           {"coordinator", site.profile.coordinator},
                           {"keyring_fingerprint", site.keyring_fingerprint},
                           {"ca_fingerprint", site.ca_fingerprint},
                           {"journal_head", site.journal_head},
                           {"public_key", site.public_key},
                           {"key_id", site.key_id}});
    return kExitOk;
  }
  Tell(context, request, site);
  return kExitOk;
}

}  // namespace

Action DeclareInit(CommandLine& app) {
  auto flags = std::make_shared<InitFlags>();
  FoundingRequest& request = flags->request;
  flags->protected_classes = {"medical_device", "modality", "monitoring_station"};
  app.Option("--data", flags->data, "The coordinator's data folder, to be made").Required().TypeName("DIR");
  app.Option("--site", request.config.site, "The site's name, as its authority bears it").Required();
  app.Option("--operator", request.founder, "You: the first admin").Required().TypeName("NAME");
  app.Option("--name", request.config.names,
                 "Address or DNS name at which the coordinator is reached; the first goes into the profile")
      .Required()
      .OneValueEach()
      .TypeName("ADDRESS");
  app.Option("--listen", request.config.listen, "Where agents and operators are served")
      .ShowDefault()
      .TypeName("HOST:PORT");
  app.Option("--web-listen", request.config.web_listen, "Console and metrics")
      .ShowDefault()
      .TypeName("HOST:PORT");
  app.Option("--join-listen", request.config.join_listen, "Joining hosts")
      .ShowDefault()
      .TypeName("HOST:PORT");
  app.Option("--key", flags->key_file, "An existing minisign secret key, instead of a new one").TypeName("FILE");
  app.Flag("--no-password", request.no_password, "Keep the new signing key in clear: who has the file can sign");
  app.Option("--protected-class", flags->protected_classes,
                 "Classes on which nothing but reading is ever done; none: no class")
      .ShowDefault()
      .OneValueEach()
      .TypeName("CLASS");
  app.Option("--change-signatures", request.policy.change_signatures, "People who must sign what changes hosts")
      .ShowDefault()
      .Between(1, 16)
      .TypeName("N");
  app.Option("--destroy-signatures", request.policy.destroy_signatures, "People who must sign what destroys")
      .ShowDefault()
      .Between(1, 16)
      .TypeName("N");
  app.Footer(
      "Examples:\n"
      "  reprise init --data /var/lib/reprise --site hr1 --operator alice --name 10.77.0.1 --name reprise.hr1.example\n"
      "  reprise --profile /media/usb/alice init --data DIR --site hr1 --operator alice --name 10.77.0.1 --key a.key\n"
      "The profile goes where --profile or REPRISE_PROFILE says, else to ~/.config/reprise.\n"
      "Interrupted, it is run again with the same arguments; a site or a profile that exists is never touched.");
  return [flags](Context& context) { return Init(context, *flags); };
}

}  // namespace reprise::cli
