#include "core/coordinator/coordinator.h"

#include <grpcpp/impl/service_type.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/coordinator/agent_service.h"
#include "core/coordinator/blob_store.h"
#include "core/coordinator/doorkeeper.h"
#include "core/coordinator/enrolment.h"
#include "core/coordinator/grpc_server.h"
#include "core/coordinator/join_window.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/metrics.h"
#include "core/coordinator/operator_service.h"
#include "core/coordinator/pages.h"
#include "core/coordinator/preview_broker.h"
#include "core/coordinator/progress_board.h"
#include "core/coordinator/run_watch.h"
#include "core/coordinator/session_table.h"
#include "core/coordinator/throttle.h"
#include "core/coordinator/workers.h"
#include "core/journal/sqlite_journal.h"
#include "core/trust/coordinator_folder.h"
#include "core/web/https_server.h"

namespace reprise::coordinator {
namespace {

constexpr int kWorkers = 4;

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator folder("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(folder), end(folder)));
}

double FileBytes(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<double>(size);
}

std::string Either(const std::string& wanted, const std::string& configured) {
  return wanted.empty() ? configured : wanted;
}

constexpr UnixMs kDayMs = 24 * 3600'000;
constexpr UnixMs kClockDoubtMs = 60'000;
constexpr UnixMs kSilenceDoubtMs = 7 * kDayMs;

// Who connects with a good clock finds certificates that are not valid yet, or no longer: better said than found out.
void CompareClock(UnixMs last_event, UnixMs now) {
  if (last_event == 0) return;
  if (now + kClockDoubtMs < last_event) {
    spdlog::error("clock: it says {}, and the journal's last event is of {}; set this machine's clock, or agents and "
                  "operators will not be let in", FormatTime(now), FormatTime(last_event));
  } else if (now > last_event + kSilenceDoubtMs) {
    spdlog::warn("clock: it says {}, {} days after the journal's last event; if that is not so, set this machine's clock",
                 FormatTime(now), (now - last_event) / kDayMs);
  }
}

// SQLite's words of a damaged file say neither what to do with it nor what to start from.
absl::Status WithWayOut(const absl::Status& status) {
  const std::string message(status.message());
  if (status.code() != absl::StatusCode::kDataLoss || absl::EndsWith(message, journal::kDamagedWayOut)) return status;
  return absl::DataLossError(absl::StrCat(message, journal::kDamagedWayOut));
}

}  // namespace

// In the order of making; ended in the reverse.
struct Coordinator::Impl {
  Impl(const trust::CoordinatorFolder& where, trust::CertificateAuthority ca, std::unique_ptr<Loop> opened,
       std::unique_ptr<BlobStore> store, uint64_t bandwidth, const Clock& time, Random& chance)
      : folder(where),
        authority(std::move(ca)),
        loop(std::move(opened)),
        blobs(std::move(store)),
        throttle(bandwidth),
        sessions(loop->LastSequence() + 1, [this](UnixMs until) { join_window.Set(until); }),
        doorkeeper(time),
        metrics(REPRISE_VERSION, time.Now()),
        site{time, chance, authority, *loop, progress, REPRISE_VERSION},
        watch(*loop, workers, site),
        previews(*loop, sessions, workers, static_cast<uint64_t>(time.Now())),
        join_window(time, workers),
        pages(*loop, metrics, time, [this] { return Outside(); }) {}

  // Nothing calls anybody any more when the members go.
  ~Impl() {
    grpc_server.reset();  // Its calls are still answered.
    loop->Stop();
    workers.Stop();
  }

  Metrics::Outside Outside() const {
    Metrics::Outside outside;
    outside.inputs_waiting = static_cast<double>(loop->Waiting());
    outside.sessions_dropped = static_cast<double>(sessions.Dropped());
    outside.identities_refused = static_cast<double>(doorkeeper.Refused());
    outside.calls_throttled = static_cast<double>(doorkeeper.Throttled());
    outside.connections_refused = grpc_server ? static_cast<double>(grpc_server->acceptor().Refused()) : 0;
    outside.journal_bytes = FileBytes(folder.Journal()) + FileBytes(folder.Journal().string() + "-wal");
    outside.events_since_snapshot = static_cast<double>(loop->EventsSinceSnapshot());
    outside.journal_writable = loop->Writing();
    outside.resident_bytes = ResidentBytes();
    outside.descriptors = OpenDescriptors();
    return outside;
  }

  const trust::CoordinatorFolder folder;
  const trust::CertificateAuthority authority;
  const std::unique_ptr<Loop> loop;
  const std::unique_ptr<BlobStore> blobs;
  Throttle throttle;
  SessionTable sessions;
  Doorkeeper doorkeeper;
  ProgressBoard progress;
  Metrics metrics;
  const Site site;
  Workers workers{kWorkers};
  RunWatch watch;
  PreviewBroker previews;
  JoinWindow join_window;
  Pages pages;
  std::unique_ptr<Enrolment> enrolment;
  std::unique_ptr<grpc::Service> agent_service;
  std::unique_ptr<grpc::Service> operator_service;
  std::unique_ptr<GrpcServer> grpc_server;
  std::unique_ptr<web::HttpsServer> web_server;
  std::unique_ptr<web::HttpsServer> join_server;
  uint16_t port = 0;
};

Coordinator::Coordinator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Coordinator::~Coordinator() = default;

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(const CoordinatorOptions& options, const Clock& clock,
                                                                Random& random) {
  const trust::CoordinatorFolder folder(options.data);
  ASSIGN_OR_RETURN(const trust::CoordinatorConfig config, folder.ReadConfig());
  ASSIGN_OR_RETURN(trust::CertificateAuthority authority, folder.LoadAuthority());
  ASSIGN_OR_RETURN(const auto identity, folder.LoadServerIdentity(clock.Now()));
  // Ports first: a second coordinator fails before it touches anything.
  const std::string listen = Either(options.listen, config.listen);
  ASSIGN_OR_RETURN(auto acceptor, Acceptor::Listen(listen, {}));
  auto journal = journal::SqliteJournal::Open(folder.Journal());
  if (!journal.ok()) return WithWayOut(journal.status());
  Loop::Options loop_options;
  loop_options.version = REPRISE_VERSION;
  auto loop = Loop::Open(*std::move(journal), clock, loop_options);
  if (!loop.ok()) return WithWayOut(loop.status());
  CompareClock((*loop)->LastEventAt(), clock.Now());
  ASSIGN_OR_RETURN(auto blobs, BlobStore::OpenFolder(folder.Blobs()));
  const std::string ca_pem = authority.certificate();

  auto impl = std::make_unique<Impl>(folder, std::move(authority), *std::move(loop), std::move(blobs),
                                     config.bandwidth_bytes_per_s, clock, random);
  Impl* const parts = impl.get();
  parts->port = acceptor->port();
  parts->enrolment =
      std::make_unique<Enrolment>(*parts->loop, parts->authority, clock,
                                  absl::StrCat(listen.substr(0, listen.rfind(':')), ":", parts->port));

  web::HttpsOptions web;
  web.certificate_chain = identity.certificate_chain;
  web.key = identity.key;
  web.listen = Either(options.web_listen, config.web_listen);
  ASSIGN_OR_RETURN(parts->web_server, web::HttpsServer::Create(web, [parts](auto request, auto respond) {
                     parts->pages.Handle(std::move(request), std::move(respond));
                   }));
  web.listen = Either(options.join_listen, config.join_listen);
  ASSIGN_OR_RETURN(parts->join_server, web::HttpsServer::Create(web, [parts](auto request, auto respond) {
                     parts->enrolment->Handle(std::move(request), std::move(respond));
                   }));

  parts->agent_service = MakeAgentService(
      {*parts->loop, parts->sessions, *parts->blobs, parts->throttle, parts->workers, parts->doorkeeper,
       {[parts](const std::string& host, auto preview) { parts->previews.Answered(host, std::move(preview)); },
        [parts](const std::string& host, auto progress) { parts->progress.Heard(host, std::move(progress)); }},
       MakeCertificateMaker(parts->authority, clock)});
  parts->operator_service = MakeOperatorService(
      {parts->site, *parts->loop, *parts->blobs, parts->previews, parts->watch, parts->workers, folder.Journal()});

  parts->loop->Start(parts->sessions, {&parts->metrics, &parts->doorkeeper, &parts->progress, &parts->watch});
  parts->loop->Query([parts](const engine::Engine& engine) { parts->doorkeeper.Learn(engine); });
  ASSIGN_OR_RETURN(parts->grpc_server,
                   GrpcServer::Start(std::move(acceptor), {identity.key, identity.certificate_chain, ca_pem},
                                     {parts->agent_service.get(), parts->operator_service.get()}));
  parts->web_server->Open();
  parts->join_window.Serve(*parts->join_server);
  return std::unique_ptr<Coordinator>(new Coordinator(std::move(impl)));
}

uint16_t Coordinator::port() const { return impl_->port; }
uint16_t Coordinator::web_port() const { return impl_->web_server->port(); }
uint16_t Coordinator::join_port() const { return impl_->join_server->port(); }

}  // namespace reprise::coordinator
