#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/journal_file.h"
#include "core/journal/journal_reader.h"

namespace reprise::cli {
namespace {

struct JournalExportFlags {
  std::string file;
  uint64_t from = 1;
  uint64_t run = 0;
};

// Every kind of event that belongs to a run has a field of that name.
uint64_t RunOf(const journal::v1::Event& event) {
  const auto* kind = event.GetReflection()->GetOneofFieldDescriptor(event, event.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return 0;
  const auto* run = kind->message_type()->FindFieldByName("run");
  if (run == nullptr) return 0;
  const auto& body = event.GetReflection()->GetMessage(event, kind);
  return body.GetReflection()->GetUInt64(body, run);
}

absl::StatusOr<int> Export(Context& context, const JournalExportFlags& flags) {
  const std::filesystem::path file = JournalFile(flags.file);
  ASSIGN_OR_RETURN(auto reader, journal::JournalReader::Open(file));
  std::ostream& out = context.terminal.out();
  const absl::Status read = reader.Read(flags.from, [&](const journal::Record& record) -> absl::Status {
    journal::v1::Event event;
    if (!event.ParseFromString(record.payload)) {
      return absl::DataLossError(absl::StrCat(file.string(), ": event ", record.sequence,
                                              " cannot be read; `reprise journal verify` says more"));
    }
    if (flags.run != 0 && RunOf(event) != flags.run) return absl::OkStatus();
    const Json line = {{"sequence", record.sequence}, {"hash", ToHex(record.hash)}, {"event", ToJson(event)}};
    out << line.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    // Nobody reads any more, or the disk is full; main.cc tells one from the other.
    return out ? absl::OkStatus() : absl::CancelledError();
  });
  if (!absl::IsCancelled(read)) RETURN_IF_ERROR(read);
  return kExitOk;
}

}  // namespace

Action DeclareJournalExport(CommandLine& app) {
  auto flags = std::make_shared<JournalExportFlags>();
  app.Option("FILE", flags->file, "journal.db, or the data folder with it").Required();
  app.Option("--from", flags->from, "First event wanted; 1 is the oldest").ShowDefault().Positive().TypeName("N");
  app.Option("--run", flags->run, "Only what belongs to this run").Positive().TypeName("RUN");
  app.Footer(
      "Examples:\n"
      "  reprise journal export /var/lib/reprise > journal.jsonl\n"
      "  reprise journal export journal.db --run 7 | jq -c '.event'\n"
      "One object a line: {\"sequence\", \"hash\", \"event\"}. Nothing is verified on the way: `reprise journal "
      "verify` does.");
  return [flags](Context& context) { return Export(context, *flags); };
}

}  // namespace reprise::cli
