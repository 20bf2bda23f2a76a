#include "core/coordinator/pages.h"

#include <utility>

namespace reprise::coordinator {

void Pages::Handle(web::Request request, web::Respond respond) {
  if (request.method != "GET") return respond({405, "text/plain; charset=utf-8", "GET only\n"});
  if (request.target == "/metrics") return Scrape(std::move(respond));
  // That the loop answers at all is what is asked; the web server answers 503 when it does not in time.
  if (request.target == "/healthz") {
    return loop_.Query([respond](const engine::Engine&) { respond({200, "text/plain; charset=utf-8", "ok\n"}); });
  }
  if (request.target == "/readyz") {
    return loop_.Query([this, respond](const engine::Engine& engine) {
      if (!loop_.Writing()) return respond({503, "text/plain; charset=utf-8", "the journal cannot be written\n"});
      if (engine.keyring() == nullptr) return respond({503, "text/plain; charset=utf-8", "there is no keyring\n"});
      respond({200, "text/plain; charset=utf-8", "ready\n"});
    });
  }
  respond({404, "text/plain; charset=utf-8", "nothing here; try /metrics, /healthz or /readyz\n"});
}

void Pages::Scrape(web::Respond respond) {
  loop_.Query([this, respond](const engine::Engine& engine) {
    const UnixMs now = clock_.Now();
    if (now < looked_ || now >= looked_ + kFresh) {
      looked_ = now;
      metrics_.Look(engine, outside_(), now);
    }
    respond({200, "text/plain; version=0.0.4; charset=utf-8", metrics_.Text()});
  });
}

}  // namespace reprise::coordinator
