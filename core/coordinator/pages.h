// What the web port serves: /metrics for Prometheus, /healthz and /readyz for whoever watches the process. All of it is
// read-only and names no host and no person; it asks for no certificate, so that a Prometheus that knows nothing of this
// site's authority can scrape it.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "core/coordinator/loop.h"
#include "core/coordinator/metrics.h"
#include "core/web/https_server.h"

namespace reprise::coordinator {

class Pages {
 public:
  // A scrape younger than this is given again: many readers cost the loop no more than one.
  static constexpr UnixMs kFresh = 500;

  // `outside` is called on the loop's thread. All outlive it.
  Pages(Loop& loop, Metrics& metrics, const Clock& clock, std::function<Metrics::Outside()> outside)
      : loop_(loop), metrics_(metrics), clock_(clock), outside_(std::move(outside)) {}

  // The web server's handler.
  void Handle(web::Request request, web::Respond respond);

 private:
  void Scrape(web::Respond respond);

  Loop& loop_;
  Metrics& metrics_;
  const Clock& clock_;
  const std::function<Metrics::Outside()> outside_;
  UnixMs looked_ = 0;  // The loop's alone.
};

}  // namespace reprise::coordinator
