// Action `restore`: a module's base from the recovery point that was judged, and from no other. Always into a new base
// <base>_restoring; every row compared with the dump; the final name, and the mark that says what it is, only then and
// both at once. Killed anywhere, the next apply throws the half away and begins anew. A base that is there stays, unless it
// is to be replaced: then it keeps its name until the new one is proven, and is kept under another for the undo.
#pragma once

#include <sys/statvfs.h>

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/checks.h"
#include "plugins/sdk/application/dump.h"
#include "plugins/sdk/application/ladder.h"
#include "plugins/sdk/application/restored.h"
#include "plugins/sdk/application/standing.h"
#include "plugins/sdk/spelling.h"

namespace reprise::sdk::application {

class Restore : public Action {
 public:
  explicit Restore(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "restore",
            .summary = "Restore a module's base from the recovery point that was judged, and prove it row by row",
            .undoable = true,
            .needs = {.paths = {"/var/lib", "/srv", "/etc/service", "/etc/runit", "/etc/systemd/system", "/run"}},
            .timeout = "2h",
            .memory_mb = 1024,
            .restores = true,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Name("module").About("Which module's base; may be left out where the profile has one"),
                       Path("source").About("The recovery point on this host, attached read-only; without: the step's artifacts"),
                       Boolean("replace").Default(false).About("A base restored from another point gives way to this one, and is kept as BASE_before"),
                       LikeSha256(Text("manifest_sha256").Required().AtMost(64).About("SHA-256 of the manifest of the point that was judged"))}};
  }

  ProbeResult Probe(Context& context) override {
    const Job job(context, adapter_);
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    Ladder ladder(adapter_.plugin);
    std::vector<Evidence> evidence;
    bool holds = false;
    std::string summary = "base " + job.module.base + " is not restored";
    if (base.state == BaseState::kRestored && base.mark.manifest_sha256 == job.manifest_sha256) {
      const Checked checked = RunChecks(context, job.profile, job.postgres, job.module.checks, /*fresh=*/false);
      holds = checked.passed();
      summary = "base " + job.module.base + ": " + std::to_string(base.mark.rows) + " rows restored, " + checked.Summary();
      evidence = checked.AsEvidence();
    } else {
      if (base.state == BaseState::kRestored) {
        summary = "base " + job.module.base + " was restored from another recovery point, " + base.mark.manifest_sha256.substr(0, 12);
      } else if (!base.why.empty()) {
        summary += ": " + base.why;
      }
      PutData(context, job, ladder, evidence);
    }
    PutRestored(context, job, ladder, holds);
    evidence.push_back({"base", summary});
    return {.holds = holds,
            .summary = summary,
            .observed = {{"manifest_sha256", base.mark.manifest_sha256}, {"rows", base.mark.rows}},
            .evidence = std::move(evidence),
            .claims = ladder.claims()};
  }

  PlanResult Plan(Context& context) override {
    const Job job(context, adapter_);
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    if (base.state == BaseState::kRestored && base.mark.manifest_sha256 == job.manifest_sha256) return {{}, "already restored"};
    // Of another application, or not what was judged: refused here, before anybody signs. A disk is only listed: a dry run is short.
    if (job.point.IsThere(context)) {
      const auto& source = job.point.source;
      Dump(context, job.point, source.empty() ? RequireManifest(context, source, job.manifest_sha256) : NamesIn(context, source), job.module);
    }
    const std::string found = Found(base), refusal = WhyRefused(job, base);
    if (!refusal.empty()) {
      return {{{"base " + job.module.base, found, "stays as it is: refused (base_exists); " + HowToGoOn(base)}}, "will be refused: " + refusal};
    }
    PlanResult plan;
    if (!job.postgres.IsMade()) plan.changes.push_back({"cluster " + job.profile.cluster.folder, "", "made, as service " + job.profile.cluster.service});
    plan.changes.push_back({"base " + job.module.base, found,
                            "restored from " + job.point.Shown() + ", manifest " + job.manifest_sha256.substr(0, 12)});
    plan.summary = "restore module " + job.module.name;
    if (base.state == BaseState::kRestored) {
      plan.changes.push_back({"base " + Former(job.module).base, "", "the base that was replaced, for the undo"});
      const std::string busy = WhyBusy(context, job);
      if (!busy.empty()) plan.summary += "; nobody may work with it by then, and now " + busy;
    }
    return plan;
  }

  ApplyResult Apply(Context& context) override {
    const Job job(context, adapter_);
    const Postgres& postgres = job.postgres;
    if (Services(context).supervisor() == Supervisor::kNone) {
      throw Error("no_supervisor", "neither systemd nor runit runs this host: the base cannot be kept running");
    }
    const bool ran = postgres.IsMade() && postgres.Answers();
    if (ran && IsDone(context, job)) return {false, "base " + job.module.base + " is restored already"};
    // Nothing on the host is touched before the bytes are those that were judged.
    context.Progress(0.0, "computing the manifest of " + job.point.Shown());
    const Manifest manifest = RequireManifest(context, job.point.source, job.manifest_sha256);
    const Dump dump(context, job.point, manifest, job.module);
    NeedRoom(job, dump.bytes());
    context.Progress(0.1, "reading " + dump.name() + " (" + dump.Kind() + ") to its end");
    const DumpContent wanted = dump.Read(context, postgres);
    if (!postgres.IsMade()) job.notes.Put("cluster-" + job.profile.name, {{"folder", job.profile.cluster.folder}});
    postgres.BringUp(job.profile);
    if (IsDone(context, job)) return {true, "base " + job.module.base + " is restored already; its cluster was started"};
    NeedOrder(context, job);
    const BaseFound base = LookAtBase(context, postgres, job.module);
    if (base.state == BaseState::kUnknown) throw Error("cluster_down", "base " + job.module.base + ": " + base.why);
    if (const std::string refusal = WhyRefused(job, base); !refusal.empty()) throw Error("base_exists", refusal, HowToGoOn(base));
    const bool replaces = base.state == BaseState::kRestored;
    if (replaces) NeedIdle(context, job);
    Note(job, base);
    const std::string restoring = RestoringName(job.module);
    DropBase(postgres, restoring);  // Half of one, from a try that was cut off.
    postgres.Do("CREATE DATABASE " + SqlName(restoring) + " OWNER " + SqlName(job.module.owner) +
                    " TEMPLATE template0 ENCODING 'UTF8'",
                "make the base " + restoring);
    context.Progress(0.3, "restoring " + std::to_string(wanted.Rows()) + " rows into " + restoring);
    dump.RestoreInto(context, postgres, restoring, job.module.owner);
    context.Progress(0.7, "comparing every row of " + restoring + " with the dump");
    Prove(context, job, restoring, wanted);
    Query(postgres, restoring, job.module.owner, "ANALYZE");
    if (replaces) {
      // Somebody may have begun to work meanwhile. One that was replaced before is thrown away only now.
      NeedIdle(context, job);
      DropBase(postgres, Former(job.module).base);
    }
    Promote(postgres, job.module, {job.manifest_sha256, wanted.Fingerprint(), wanted.Rows(), wanted.tables.size()}, replaces);
    return {true, "base " + job.module.base + ": " + std::to_string(wanted.Rows()) + " rows in " +
                      std::to_string(wanted.tables.size()) + " tables restored from " + dump.name() +
                      (replaces ? "; what was there is kept as " + Former(job.module).base : "")};
  }

  // By the dump once more, read anew, and the base under its final name.
  VerifyResult Verify(Context& context) override {
    const Job job(context, adapter_);
    Ladder ladder(adapter_.plugin);
    std::vector<Evidence> evidence;
    const auto end = [&](bool holds, const std::string& summary) {
      evidence.push_back({"base", summary});
      PutRestored(context, job, ladder, holds);
      return VerifyResult{.holds = holds, .summary = summary, .evidence = std::move(evidence), .claims = ladder.claims()};
    };
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    if (base.state != BaseState::kRestored) return end(false, "base " + job.module.base + " is not restored: " + base.why);
    if (base.mark.manifest_sha256 != job.manifest_sha256) return end(false, "base " + job.module.base + " is from another recovery point");
    const std::optional<Manifest> manifest = PutData(context, job, ladder, evidence);
    if (!manifest) return end(false, "the recovery point is not the one that was judged: " + ladder.why_not());
    const Dump dump(context, job.point, *manifest, job.module);
    const DumpContent wanted = dump.Read(context, job.postgres);
    const std::string differs = WhyNotAlike(context, job.postgres, job.module.base, job.module.owner, wanted);
    if (!differs.empty()) return end(false, "base " + job.module.base + " differs from the dump: " + differs);
    if (wanted.Fingerprint() != base.mark.fingerprint) return end(false, "the mark of base " + job.module.base + " names other rows");
    const Checked checked = RunChecks(context, job.profile, job.postgres, job.module.checks, /*fresh=*/true);
    Append(evidence, checked.AsEvidence());
    std::string tables;
    for (const auto& [table, rows] : wanted.tables) {
      tables += (tables.empty() ? "" : ", ") + table.substr(0, table.find(" (")) + " " + std::to_string(rows.rows);
    }
    evidence.push_back({"rows", tables.substr(0, 2000)});
    return end(checked.passed(), "base " + job.module.base + ": " + std::to_string(wanted.Rows()) + " rows in " +
                                     std::to_string(wanted.tables.size()) + " tables, each like the dump's; " + checked.Summary());
  }

  RollbackResult Rollback(Context& context) override {
    const Job job(context, adapter_);
    const std::string key = NoteKey(job);
    const auto note = job.notes.Get(key);
    if (!note || note->value("manifest_sha256", "") != job.manifest_sha256) {
      return {"nothing to undo: this step restored nothing on this host"};
    }
    const Services services(context);
    if (services.State(job.profile.service.spec.name) == ServiceState::kRunning) {
      throw Error("in_use", "service " + job.profile.service.spec.name + " runs on base " + job.module.base, "stop it first");
    }
    const auto accepted = job.notes.Get(AcceptanceKey(job.profile));
    if (accepted && accepted->value("manifests", Json::object()).value(job.module.name, "") == job.manifest_sha256) {
      throw Error("in_use", "the data of " + job.profile.name + " were accepted: people work with them", "undo the acceptance first");
    }
    std::string summary = "nothing was made yet";
    if (job.postgres.IsMade()) {
      if (services.State(job.profile.cluster.service) != ServiceState::kRunning) job.postgres.BringUp(job.profile);
      job.postgres.WaitForAnswer();
      DropBase(job.postgres, RestoringName(job.module));
      const BaseFound base = LookAtBase(context, job.postgres, job.module);
      if (base.state == BaseState::kRestored && base.mark.manifest_sha256 == job.manifest_sha256) {
        DropBase(job.postgres, job.module.base);
        summary = "base " + job.module.base + " thrown away";
      }
      if (note->contains("replaced") && TakeBack(context, job, note->at("replaced"))) summary += "; the one that it had replaced is back";
      if (job.notes.Get("cluster-" + job.profile.name) && IsEmpty(job.postgres)) summary += "; " + TakeDown(context, services, job);
    }
    if (note->contains("former")) {
      job.notes.Put(key, note->at("former"));
    } else {
      job.notes.Forget(key);
    }
    return {summary};
  }

 private:
  struct Job {
    Job(const Context& context, const Adapter& adapter)
        : profile(ProfileOf(context, adapter)),
          module(ModuleOf(profile, context.Param("module", std::string()))),
          postgres(context, profile.cluster),
          point(Point::Of(context)),
          manifest_sha256(context.Param("manifest_sha256")),
          replace(context.Param<bool>("replace", false)),
          notes(adapter.plugin) {
      if (!manifest_internal::IsSha256(manifest_sha256)) {
        throw Error("bad_params", "parameter manifest_sha256 is no SHA-256: 64 lower-case hexadecimal digits");
      }
    }
    Profile profile;
    const Module& module;
    Postgres postgres;
    Point point;
    std::string manifest_sha256;
    bool replace;
    Notes notes;
  };

  static std::string NoteKey(const Job& job) { return "restore-" + job.profile.name + "-" + job.module.name; }

  // For the undo: what was made, and what it replaced. What a try that was cut off has noted stays.
  static void Note(const Job& job, const BaseFound& base) {
    const auto noted = job.notes.Get(NoteKey(job));
    if (noted && noted->value("manifest_sha256", "") == job.manifest_sha256) return;
    Json note = {{"manifest_sha256", job.manifest_sha256}};
    if (base.state == BaseState::kRestored) {
      note["replaced"] = base.mark.manifest_sha256;
      if (noted) note["former"] = *noted;
    }
    job.notes.Put(NoteKey(job), note);
  }

  static std::string Found(const BaseFound& base) {
    if (base.state == BaseState::kMissing) return "";
    return base.state == BaseState::kRestored ? "restored from another point, manifest " + base.mark.manifest_sha256.substr(0, 12)
                                              : base.why;
  }
  static std::string HowToGoOn(const BaseFound& base) {
    return base.state == BaseState::kRestored
               ? "stop the application, then restore with replace: true; the base that is there is kept until the new one is proven"
               : "it is not overwritten: rename it by hand, or name another base in the profile";
  }

  // Why the base that is there may not give way; empty: it may, or there is none, or nobody knows.
  static std::string WhyRefused(const Job& job, const BaseFound& base) {
    if (base.state != BaseState::kRestored && base.state != BaseState::kForeign) return "";
    if (base.state == BaseState::kRestored && job.replace) return "";
    return "base " + job.module.base + " is there already: " + Found(base);
  }

  // Why the base cannot be put aside now; empty: it can.
  static std::string WhyBusy(const Context& context, const Job& job) {
    const BaseFound former = LookAtBase(context, job.postgres, Former(job.module));
    if (former.state == BaseState::kForeign) return "the name for the replaced one is taken: " + former.why;
    if (Services(context).State(job.profile.service.spec.name) == ServiceState::kRunning) {
      return "service " + job.profile.service.spec.name + " runs on base " + job.module.base;
    }
    const std::string sessions = job.postgres.Ask(
        "postgres", "postgres", "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = " + SqlText(job.module.base),
        "count the sessions of base " + job.module.base);
    return sessions == "0" ? "" : sessions + " sessions are open on base " + job.module.base;
  }

  static void NeedIdle(const Context& context, const Job& job) {
    if (const std::string busy = WhyBusy(context, job); !busy.empty()) {
      throw Error("in_use", busy, "stop the application, and what else works with it, first");
    }
  }

  // The base that was replaced gets its name again, if it is that one and nothing stands in its place.
  static bool TakeBack(const Context& context, const Job& job, const std::string& replaced) {
    const BaseFound former = LookAtBase(context, job.postgres, Former(job.module));
    if (former.state != BaseState::kRestored || former.mark.manifest_sha256 != replaced || BaseExists(job.postgres, job.module.base)) return false;
    job.postgres.Do("ALTER DATABASE " + SqlName(Former(job.module).base) + " RENAME TO " + SqlName(job.module.base),
                    "give the former base its name " + job.module.base);
    return true;
  }

  static bool IsDone(const Context& context, const Job& job) {
    const BaseFound base = LookAtBase(context, job.postgres, job.module);
    return base.state == BaseState::kRestored && base.mark.manifest_sha256 == job.manifest_sha256;
  }

  // The two lowest rungs: the point is there; it is the one that was judged.
  std::optional<Manifest> PutData(const Context& context, const Job& job, Ladder& ladder, std::vector<Evidence>& evidence) const {
    if (!job.point.IsThere(context)) {
      ladder.Put(Rung::kDataFound, ClaimState::kFails, job.point.Shown() + " is not there");
      return std::nullopt;
    }
    try {
      Manifest manifest = RequireManifest(context, job.point.source, job.manifest_sha256);
      const std::string text = "module " + job.module.name + ": " + std::to_string(manifest.files.size()) + " files, " +
                               std::to_string(manifest.Bytes()) + " bytes";
      ladder.Put(Rung::kDataFound, ClaimState::kHolds, text);
      ladder.Put(Rung::kDataOk, ClaimState::kHolds, text + ", manifest " + job.manifest_sha256.substr(0, 12) + " as judged");
      evidence.push_back({"manifest", text + ", SHA-256 of the manifest " + job.manifest_sha256});
      return manifest;
    } catch (const Error& error) {
      if (error.code() == "cancelled") throw;
      ladder.Put(Rung::kDataFound, ClaimState::kHolds, job.point.Shown());
      ladder.Put(Rung::kDataOk, error.code() == "wrong_copy" ? ClaimState::kFails : ClaimState::kUnknown, error.what());
      evidence.push_back({"manifest", error.what()});
      return std::nullopt;
    }
  }

  // The application is restored once all its modules are.
  void PutRestored(const Context& context, const Job& job, Ladder& ladder, bool this_one) const {
    std::string missing;
    bool unknown = false;
    for (const Module& module : job.profile.modules) {
      const bool is_this = module.name == job.module.name;
      const BaseFound base = is_this ? BaseFound{} : LookAtBase(context, job.postgres, module);
      if (is_this ? this_one : base.state == BaseState::kRestored) continue;
      unknown = unknown || (!is_this && base.state == BaseState::kUnknown);
      missing += (missing.empty() ? "" : ", ") + module.name;
    }
    if (this_one || !job.postgres.IsMade()) {
      const ClaimState state = missing.empty() ? ClaimState::kHolds : unknown ? ClaimState::kUnknown : ClaimState::kFails;
      ladder.Put(Rung::kRestored, state, missing.empty() ? "all modules restored" : "not restored: " + missing);
    } else {
      const bool asked = LookAtBase(context, job.postgres, job.module).state != BaseState::kUnknown;
      ladder.Put(Rung::kRestored, asked ? ClaimState::kFails : ClaimState::kUnknown, "not restored: " + missing);
    }
  }

  static void NeedOrder(const Context& context, const Job& job) {
    for (const std::string& before : job.module.after) {
      if (LookAtBase(context, job.postgres, ModuleOf(job.profile, before)).state != BaseState::kRestored) {
        throw Error("out_of_order", "module " + job.module.name + " comes after " + before + ", which is not restored on this host",
                    "restore " + before + " first");
      }
    }
  }

  static void NeedRoom(const Job& job, uint64_t bytes) {
    std::filesystem::path folder = job.profile.cluster.folder;
    std::error_code ignored;
    while (!std::filesystem::exists(folder, ignored)) folder = folder.parent_path();
    struct statvfs space {};
    if (statvfs(folder.c_str(), &space) != 0) return;
    const uint64_t room = uint64_t{space.f_bavail} * space.f_frsize;
    if (room < bytes) {
      throw Error("disk_full", folder.string() + " has " + std::to_string(room >> 20) + " MB left, the dump alone has " +
                                   std::to_string(bytes >> 20) + " MB", "free space there, then retry the run");
    }
  }

  // Throws Error "restore_differs".
  static void Prove(const Context& context, const Job& job, const std::string& base, const DumpContent& wanted) {
    const std::string differs = WhyNotAlike(context, job.postgres, base, job.module.owner, wanted);
    if (!differs.empty()) throw Error("restore_differs", "base " + base + ": " + differs, "it keeps its name and is offered to nobody");
    const Checked checked = RunChecks(context, job.profile, job.postgres, job.module.checks, /*fresh=*/true, base);
    if (!checked.passed()) {
      throw Error("check_failed", "base " + base + ": " + checked.Summary(),
                  "the dump is whole, but not what the profile expects: look at the recovery point");
    }
  }

  static void Query(const Postgres& postgres, const std::string& base, const std::string& role, const std::string& sql) {
    postgres.Ask(base, role, sql, sql + " in " + base);
  }

  static bool IsEmpty(const Postgres& postgres) {
    return postgres.Ask("postgres", "postgres", "SELECT count(*) FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')",
                        "count the bases") == "0";
  }

  static std::string TakeDown(const Context& context, const Services& services, const Job& job) {
    const Cluster& cluster = job.profile.cluster;
    job.postgres.EndSessions();
    Uninstall(context, services, job.postgres.Spec());
    std::filesystem::remove_all(cluster.folder);
    std::filesystem::remove_all(cluster.socket);
    job.notes.Forget("cluster-" + job.profile.name);
    return "its cluster taken away";
  }

  const Adapter& adapter_;
};

}  // namespace reprise::sdk::application
