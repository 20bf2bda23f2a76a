// Action for something that is taken out of the application as a file and carried by hand: rows of a month, reconciled
// with the base per group and line by line, its SHA-256 beside it, signed where a key lies on the host. No interface is
// opened for it.
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/csv.h"
#include "plugins/sdk/application/restored.h"
#include "plugins/sdk/application/profile_reader.h"
#include "plugins/sdk/notes.h"

namespace reprise::sdk::application {

class Export : public Action {
 public:
  // The action is named export_NAME, and does what the profile's export NAME says.
  Export(const Adapter& adapter, std::string name, std::string summary)
      : adapter_(adapter), name_(std::move(name)), summary_(std::move(summary)) {}

  ActionInfo Describe() const override {
    return {.name = "export_" + name_,
            .summary = summary_,
            .undoable = true,
            .needs = {.paths = {"/var", "/srv", "/media", "/mnt", "/home", "/root"}},
            .timeout = "15m",
            .memory_mb = 1024,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Text("month").Required().AtMost(7).Like("^[0-9]{4}-(0[1-9]|1[0-2])$", "YYYY-MM").About("Which month"),
                       Path("folder").Required().About("Where the file goes: below /var, /srv, /media, /mnt, /home or /root"),
                       Boolean("replace").Default(false).About("An export of this month with another content is kept beside, named by its hash"),
                       Path("key_file").About("minisign secret key without a password, on this host, for root only. Without: a person signs the file"),
                       Path("public_key_file").About("Its public key; required with key_file, to prove the signature")}};
  }

  ProbeResult Probe(Context& context) override {
    VerifyResult looked = Verify(context);
    return {.holds = looked.holds, .summary = looked.summary, .evidence = std::move(looked.evidence), .claims = std::move(looked.claims)};
  }

  PlanResult Plan(Context& context) override {
    const Job job(context, adapter_, name_);
    if (Verify(context).holds) return {{}, "already exported"};
    return {{{"file " + job.file, std::filesystem::exists(job.file) ? "another content" : "", "export of " + job.month}}, "write one export"};
  }

  ApplyResult Apply(Context& context) override {
    const Job job(context, adapter_, name_);
    job.NeedKeys();
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    if (base.state != BaseState::kRestored) throw Error("not_restored", "base " + job.module.base + " is not restored here: " + base.why);
    if (!std::filesystem::is_directory(job.folder)) throw Error("no_folder", "folder " + job.folder + " is not there", "make it, or mount what carries the file");
    context.Progress(0.1, "exporting " + job.month);
    const std::string content = Rows(context, job);
    const Totals base_totals = TotalsOfBase(job);
    const std::string differs = WhyNotEqual(TotalsOfCsv(content, job.rule.group, job.rule.sum), base_totals);
    if (!differs.empty()) throw Error("totals_differ", "month " + job.month + ": " + differs, "nothing was written");
    if (base_totals.empty()) throw Error("nothing_to_export", "the base has nothing for month " + job.month, "is it the right month?");
    const std::string sha256 = Sha256OfText(content);
    const auto before = ReadFileIfThere(job.file, kFileMax);
    const bool same = before == content;
    std::string kept;
    if (before && !same) kept = SetAside(context, job, *before, sha256);
    const Notes notes(adapter_.plugin);
    if (!same) {
      notes.Put(job.Key(), {{"sha256", sha256}});
      WriteFileAtomically(job.file, content, 0600);
    }
    const bool side_written = Write(job.file + ".sha256", sha256 + "  " + std::filesystem::path(job.file).filename().string() + "\n");
    const bool signed_now = Sign(context, job);
    // What lies there now, not what was meant to.
    const std::string differs_there = WhyNotSameLines(ReadFile(job.file, kFileMax), content);
    if (!differs_there.empty()) throw Error("content_differs", job.file + ", " + differs_there, "does somebody else write this file?");
    return {!same || side_written || signed_now, job.file + ": " + Shown(base_totals) + kept + job.SignatureShown()};
  }

  VerifyResult Verify(Context& context) override {
    const Job job(context, adapter_, name_);
    job.NeedKeys();
    VerifyResult result;
    const auto end = [&](ClaimState state, const std::string& summary) {
      result.holds = state == ClaimState::kHolds;
      result.summary = summary;
      result.claims = {{std::string(adapter_.plugin) + "." + name_ + "_exported", state, summary}};
      return result;
    };
    const auto content = ReadFileIfThere(job.file, kFileMax);
    if (!content) return end(ClaimState::kFails, job.file + " is not there");
    const std::string sha256 = Sha256OfText(*content);
    result.evidence.push_back({"file", job.file + ": SHA-256 " + sha256});
    const std::string name = std::filesystem::path(job.file).filename().string();
    if (ReadFileIfThere(job.file + ".sha256", 4096) != sha256 + "  " + name + "\n") return end(ClaimState::kFails, job.file + ".sha256 is missing or another");
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    if (base.state == BaseState::kUnknown) return end(ClaimState::kUnknown, "not reconciled: " + base.why);
    if (base.state != BaseState::kRestored) return end(ClaimState::kFails, "base " + job.module.base + " is not restored here: " + base.why);
    Totals file;
    try {
      file = TotalsOfCsv(*content, job.rule.group, job.rule.sum);
    } catch (const Error& error) {
      return end(ClaimState::kFails, job.file + ": " + error.what());
    }
    const Totals there = TotalsOfBase(job);
    const std::string differs = WhyNotEqual(file, there);
    // Equal sums do not tell who is paid: every line is held to what would be written now.
    const std::string other_line = WhyNotSameLines(*content, Rows(context, job));
    if (!other_line.empty()) {
      return end(ClaimState::kFails, job.file + ", " + other_line + "; month " + job.month + ": " +
                                         (differs.empty() ? std::string("totals equal to the base's, lines not") : differs));
    }
    if (!differs.empty()) return end(ClaimState::kFails, "month " + job.month + ": " + differs);
    result.evidence.push_back({"lines", job.file + ": every line is the one that the base gives now"});
    for (const auto& [group, total] : there) {
      result.evidence.push_back({"total", group + ": " + std::to_string(total.rows) + " lines, " + ShowDecimal(total.sum) + ", in the file and in the base"});
    }
    if (!job.key_file.empty()) {
      const RunResult checked = Run(context, {"minisign", "-V", "-q", "-p", job.public_key_file, "-m", job.file, "-x", job.file + ".minisig"});
      result.evidence.push_back({"command", "minisign -V: " + (checked.ok() ? std::string("the signature is good") : checked.Why())});
      if (!checked.ok()) return end(ClaimState::kFails, job.file + ".minisig is missing or not by this key");
    }
    return end(ClaimState::kHolds, job.file + ": " + Shown(there) + job.SignatureShown());
  }

  RollbackResult Rollback(Context& context) override {
    const Job job(context, adapter_, name_);
    const Notes notes(adapter_.plugin);
    const auto note = notes.Get(job.Key());
    if (!note) return {"nothing to undo: this step wrote nothing on this host"};
    const auto content = ReadFileIfThere(job.file, kFileMax);
    const bool ours = content && Sha256OfText(*content) == note->value("sha256", "");
    if (content && !ours) throw Error("changed", job.file + " is no longer what this step wrote", "look at it; it is left as it is");
    for (const char* more : {".minisig", ".sha256", ""}) RemoveFile(job.file + more);
    notes.Forget(job.Key());
    return {job.file + " taken away"};
  }

 private:
  static constexpr size_t kFileMax = 256 << 20;

  struct Job {
    Job(const Context& context, const Adapter& adapter, const std::string& name)
        : profile(ProfileOf(context, adapter)),
          rule(RuleOf(profile, name)),
          module(ModuleOf(profile, rule.module)),
          postgres(context, profile.cluster),
          month(context.Param("month")),
          folder(context.Param("folder")),
          file(folder + "/" + name + "-" + month + ".csv"),
          key_file(context.Param("key_file", std::string())),
          public_key_file(context.Param("public_key_file", std::string())) {
      bool plain = month.size() == 7 && month[4] == '-';
      for (const size_t at : {0, 1, 2, 3, 5, 6}) plain = plain && month[at] >= '0' && month[at] <= '9';
      if (!plain || month.substr(5) < "01" || month.substr(5) > "12") throw Error("bad_params", "parameter month is " + month + ", expected YYYY-MM");
      bool allowed = false;
      for (const char* root : {"/var/", "/srv/", "/media/", "/mnt/", "/home/", "/root/"}) allowed = allowed || (folder + "/").rfind(root, 0) == 0;
      if (!allowed) throw Error("bad_params", "parameter folder is " + folder + ", expected one below /var, /srv, /media, /mnt, /home or /root");
      if (key_file.empty() != public_key_file.empty()) throw Error("bad_params", "parameters key_file and public_key_file go together");
    }
    std::string Key() const { return "export-" + Sha256OfText(file); }
    std::string SignatureShown() const { return key_file.empty() ? "; not signed: a person signs it, minisign -S -m " + file : "; signed"; }
    // A key that others can read signs nothing.
    void NeedKeys() const {
      if (key_file.empty()) return;
      struct stat found {};
      if (stat(key_file.c_str(), &found) != 0) throw Error("no_key", key_file + " is not on this host", "without key_file a person signs the file");
      if (found.st_uid != 0 || (found.st_mode & 077) != 0) throw Error("unsafe_path", key_file + " can be read by others than root", "chmod 600, owner root; better a new key");
    }

    Profile profile;
    const ExportRule& rule;
    const Module& module;
    Postgres postgres;
    std::string month, folder, file, key_file, public_key_file;
  };

  static const ExportRule& RuleOf(const Profile& profile, const std::string& name) {
    for (const ExportRule& rule : profile.exports) {
      if (rule.name == name) return rule;
    }
    throw Error("no_export", "profile " + profile.name + " has no export " + name, "give it one: exports");
  }

  static std::string Settings(const Job& job) { return "-c reprise.month=" + job.month + " "; }

  static std::string Rows(const Context& context, const Job& job) {
    std::string content;
    const RunResult result = RunStreaming(
        context,
        job.postgres.Client("psql", job.module.base, job.module.owner,
                            {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "COPY (" + job.rule.query + ") TO STDOUT WITH (FORMAT csv, HEADER)"}),
        job.postgres.ClientOptions(Postgres::kReading + Settings(job)), {-1, [&](std::string_view piece) {
          if (content.size() + piece.size() > kFileMax) throw Error("too_large", "the export is larger than 256 MiB");
          content += piece;
        }});
    if (!result.ok() || result.truncated) ThrowClient(result, "export of " + job.month, "query_failed");
    return content;
  }

  static Totals TotalsOfBase(const Job& job) {
    const std::string text = job.postgres.AskReading(job.module.base, job.module.owner, job.rule.totals, "totals of " + job.month, Settings(job));
    Totals totals;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string line = text.substr(begin, end - begin);
      const size_t first = line.find('\t'), second = line.find('\t', first == std::string::npos ? first : first + 1);
      const auto sum = second == std::string::npos ? std::nullopt : ParseDecimal(line.substr(second + 1));
      const auto rows = second == std::string::npos ? std::nullopt : ParseDecimal(line.substr(first + 1, second - first - 1));
      if (!sum || !rows) throw Error("bad_profile", "totals of export " + job.rule.name + ": expected group, count, sum, found " + line.substr(0, 80));
      totals[line.substr(0, first)] = {static_cast<uint64_t>(*rows / 10000), *sum};
      begin = end + 1;
    }
    return totals;
  }

  static std::string Shown(const Totals& totals) {
    uint64_t rows = 0;
    for (const auto& [group, total] : totals) rows += total.rows;
    return std::to_string(rows) + " lines, " + std::to_string(totals.size()) + " totals equal to the base's, line by line";
  }

  // Throws Error "export_exists", unless it may be replaced: then the older one is kept.
  static std::string SetAside(const Context& context, const Job& job, const std::string& before, const std::string& sha256) {
    const std::string old = Sha256OfText(before);
    if (!context.Param<bool>("replace")) {
      throw Error("export_exists", job.file + " is there with another content: SHA-256 " + old.substr(0, 16) + "…, now it would be " + sha256.substr(0, 16) + "…",
                  "was the older one carried to pay already? replace: true keeps it beside");
    }
    const std::string aside = job.file + ".replaced-" + old.substr(0, 12);
    for (const char* more : {".minisig", ".sha256", ""}) {
      const std::string from = job.file + more;
      if (access(from.c_str(), F_OK) == 0 && rename(from.c_str(), (aside + more).c_str()) != 0) ThrowErrno(errno, "rename " + from);
    }
    SyncFolder(job.folder);
    return "; the one before is kept as " + aside;
  }

  // True if it was not there.
  static bool Write(const std::string& path, const std::string& content) {
    if (ReadFileIfThere(path, 4096) == content) return false;
    WriteFileAtomically(path, content, 0600);
    return true;
  }

  static bool Sign(const Context& context, const Job& job) {
    const std::string signature = job.file + ".minisig";
    if (job.key_file.empty()) return false;
    const std::vector<std::string> check = {"minisign", "-V", "-q", "-p", job.public_key_file, "-m", job.file, "-x", signature};
    if (access(signature.c_str(), F_OK) == 0 && Run(context, check).ok()) return false;
    const std::string making = signature + ".making";
    const RunResult made = Run(context, {"minisign", "-S", "-s", job.key_file, "-m", job.file, "-x", making, "-t",
                                         "sha256 " + Sha256OfFile(job.file) + " month " + job.month});
    if (!made.ok()) {
      RemoveFile(making);
      throw Error("not_signed", "minisign: " + made.Why(), "a key with a password cannot be used here: leave key_file out, and a person signs");
    }
    if (rename(making.c_str(), signature.c_str()) != 0) ThrowErrno(errno, "rename " + making);
    SyncFolder(job.folder);
    return true;
  }

  const Adapter& adapter_;
  std::string name_, summary_;
};

}  // namespace reprise::sdk::application
