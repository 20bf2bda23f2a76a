#include "plugins/mail/batch_site.h"

#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "plugins/mail/profile_store.h"
#include "plugins/sdk/file.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

constexpr const char* kState = "/var/lib/reprise-plugins/mail";

// A file of this host, or an artifact of the step.
fs::path FileOf(const sdk::Context& context, const std::string& name, const std::string& ending) {
  if (name.starts_with("/")) return name;
  return context.Artifact(name + ending);
}

Profile ProfileOf(const sdk::Context& context, const char* param) {
  const fs::path file = FileOf(context, context.Param(param), ".profile.json");
  const sdk::Json json = sdk::Json::parse(sdk::ReadFile(file, 1 << 20), nullptr, false);
  if (json.is_discarded()) throw Error("bad_profile", "the profile of the " + std::string(param) + " server is no JSON: " + file.string());
  return ParseProfile(json);
}

std::vector<Box> BoxesOf(const sdk::Context& context, const std::string& batch) {
  const std::string name = context.Param("roster");
  const fs::path file = FileOf(context, name, "");
  struct stat found {};
  // It has everybody's name in it.
  if (name.starts_with("/") && stat(file.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    throw Error("unsafe_path", "the roster " + name + " can be read by others than its owner", "chmod 600 " + name);
  }
  return ParseRoster(sdk::ReadFile(file, 64 << 20)).Batch(batch, context.host());
}

size_t Connections(const sdk::Context& context, const Profile& source, const Profile& target) {
  const auto wanted = context.Param<int64_t>("connections");
  const int64_t most = std::min(source.limits.connections, target.limits.connections);
  return static_cast<size_t>(std::max<int64_t>(1, wanted == 0 ? most : std::min(wanted, most)));
}

}  // namespace

sdk::Params SiteParams() {
  return {sdk::Text("roster").Default("roster.csv").AtMost(512).About("The roster: an artifact of the step, or a file of this host (0600)"),
          sdk::Name("batch").Required().About("Which batch of the roster"),
          sdk::Text("source").Required().AtMost(512).About("Profile of the old server: artifact NAME.profile.json, or a file of this host"),
          sdk::Text("target").Required().AtMost(512).About("Profile of the new server, likewise"),
          sdk::Integer("connections").Range(0, 64).Default(0).About("Mailboxes at a time; 0: as many as both profiles allow"),
          sdk::Path("state").Default(kState).About("This mover's own folder: ledgers, quarantine, the mail lead's reports")};
}

void AddMoveParams(sdk::Params& params, const char* failures_max) {
  params.Add(sdk::Text("failures_max").Default(failures_max).AtMost(8).About("How many mailboxes may fail: a number, or a share as 10%"));
  params.Add(sdk::Text("deletions").OneOf({"follow", "follow_all", "keep"}).Default("follow").About(
      "What vanished in the source after it was copied: taken from the target too (not if suspiciously many), however many, or kept"));
  params.Add(sdk::Boolean("fold_case").Default(false).About("The target takes folders \"Sent\" and \"SENT\" for one"));
  params.Add(sdk::Text("scanner").Default("none").AtMost(120).About("clamd that looks into each message: a socket's path, or ADDRESS:PORT; none: nobody looks, and the results say so"));
  params.Add(sdk::Integer("sample").Range(0, 1'000'000).Default(20).About("verify reads every so many-th message on both sides; 1: all, 0: none"));
}

Site::Site(sdk::Context& context)
    : context_(context),
      batch_(context.Param("batch")),
      state_(context.Param("state")),
      source_profile_(ProfileOf(context, "source")),
      target_profile_(ProfileOf(context, "target")),
      boxes_(BoxesOf(context, batch_)),
      connections_(Connections(context, source_profile_, target_profile_)),
      source_credentials_(context, source_profile_),
      target_credentials_(context, target_profile_),
      source_flow_(source_profile_.limits.bytes_per_second),
      target_flow_(target_profile_.limits.bytes_per_second),
      message_flow_(static_cast<uint64_t>(target_profile_.limits.messages_per_second * 1000)) {
  const std::string where = context.Param<std::string>("scanner", "none");
  if (where == "none") return;
  scanner_ = MakeClamdScanner(context, where);
  quarantine_ = std::make_unique<Quarantine>(state_ / "quarantine");
}

void Site::ScannerMustAnswer() {
  if (scanner_) scanner_->MustAnswer();
}

Stores Site::stores() {
  return {[this](const Box& box) { return OpenSource(context_, source_profile_, box.source_user, source_credentials_, source_flow_); },
          [this](const Box& box) -> std::unique_ptr<Target> {
            return OpenTarget(context_, target_profile_, box.target_user, target_credentials_, target_flow_);
          }};
}

Watch Site::watch() const {
  Watch watch;
  watch.check = [this] {
    context_.ThrowIfCancelled();
    if (context_.TimeLeft().count() == 0) throw Error("timed_out", "the verb's time is over", "run the step again: it goes on from here");
  };
  return watch;
}

BoxOptions Site::Options() {
  BoxOptions options;
  options.state = state_;
  const std::string deletions = context_.Param("deletions");
  options.move.deletions = deletions == "keep" ? Deletions::kKeep : deletions == "follow" ? Deletions::kFollow : Deletions::kFollowAll;
  options.move.fold_case = context_.Param<bool>("fold_case");
  const double rate = target_profile_.limits.messages_per_second;
  if (rate > 0) {
    options.move.window_messages = std::clamp<size_t>(static_cast<size_t>(rate), 1, options.move.window_messages);
    options.move.pace = [this](size_t messages) { Pace(messages); };
  }
  options.move.scanner = scanner_.get();
  options.move.quarantine = quarantine_.get();
  return options;
}

void Site::Pace(size_t messages) {
  const auto from = message_flow_.Take(messages * 1000, Flow::Clock::now());
  for (auto now = Flow::Clock::now(); now < from; now = Flow::Clock::now()) {
    watch().check();
    std::this_thread::sleep_for(std::min<Flow::Clock::duration>(from - now, std::chrono::milliseconds(50)));
  }
}

std::vector<BoxResult> Site::Each(const std::string& doing, const std::function<BoxResult(const Box&, const Watch&)>& work) {
  BatchProgress progress(context_, doing, boxes_.size());
  Watch watch = this->watch();
  watch.moved = [&](uint64_t messages, uint64_t bytes) { progress.Moved(messages, bytes); };
  return ForEachBox(boxes_, connections_, watch, [&](const Box& box, const Watch& mine) {
    BoxResult result;
    result.box = box;
    if (!box.excluded.empty()) {
      result.state = BoxState::kExcluded;
    } else {
      try {
        result = work(box, mine);
      } catch (const Error& error) {
        if (error.code() == "cancelled" || error.code() == "timed_out" || error.code() == "disk_full") throw;
        result.state = BoxState::kFailed;
        result.why = error.code();
      }
    }
    progress.BoxEnded();
    return result;
  });
}

std::vector<BoxResult> Site::AsKnown() {
  std::vector<BoxResult> results;
  for (const Box& box : boxes_) {
    watch().check();
    results.push_back(BoxAsKnown(state_, box, context_.work_dir()));
  }
  return results;
}

std::optional<Ledger> Site::LedgerOf(const Box& box) const { return Ledger::OpenToRead(LedgerFile(state_, box), context_.work_dir()); }

std::vector<sdk::Measure> Site::Measures(const std::vector<BoxResult>& results) const {
  std::map<BoxState, size_t> states;
  uint64_t messages = 0, bytes = 0, held = 0;
  for (const BoxResult& result : results) {
    ++states[result.state];
    const auto ledger = LedgerOf(result.box);
    if (!ledger) continue;
    const auto tallies = ledger->Tallies();
    for (const MessageState state : {MessageState::kCopied, MessageState::kVerified}) {
      messages += tallies[size_t(state)].messages;
      bytes += tallies[size_t(state)].bytes;
    }
    held += tallies[size_t(MessageState::kHeld)].messages;
  }
  std::vector<sdk::Measure> measures;
  for (size_t i = 0; i < kBoxStates.size(); ++i) {
    measures.push_back({"mail.boxes", batch_ + "." + std::string(kBoxStates[i]), double(states[static_cast<BoxState>(i)])});
  }
  measures.push_back({"mail.messages_copied", batch_, double(messages)});
  measures.push_back({"mail.bytes_copied", batch_, double(bytes)});
  measures.push_back({"mail.messages_held", batch_, double(held)});
  return measures;
}

std::vector<sdk::Evidence> Site::Lines(const std::vector<BoxResult>& results) const {
  std::vector<sdk::Evidence> lines;
  size_t more = 0;
  for (const BoxResult& result : results) {
    const bool differs = result.verified && !result.verified->holds();
    if (result.state != BoxState::kFailed && !differs) continue;
    if (lines.size() >= kLinesMax) {
      ++more;
      continue;
    }
    lines.push_back({"mailbox", "roster " + result.box.Shown() + ": " + (result.why.empty() ? std::string(NameOf(result.state)) : result.why) +
                                    (result.verified ? "; " + result.verified->Shown() : "")});
  }
  if (more > 0) lines.push_back({"mailbox", "and " + std::to_string(more) + " more: see the mail lead's report"});
  return lines;
}

}  // namespace reprise::mail
