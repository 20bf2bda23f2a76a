// How the server is run, as a value: read from parameters, written as Orthanc's configuration, read back from it. The
// configuration is the only record, so that what the server obeys and what the adapter believes are one thing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/pacs/place.h"
#include "plugins/sdk/context.h"

namespace reprise::pacs {

// The adapter's own name on the DICOM port: from this host only, may look and fetch, may not store.
inline constexpr const char* kOwnTitle = "REPRISE";

// Another DICOM node, by its address; never by a name of the network.
struct Peer {
  std::string title;
  std::string address;
  int port = 0;

  std::string Shown() const { return title + "@" + address + ":" + std::to_string(port); }
  bool operator==(const Peer&) const = default;
};

struct Settings {
  std::string title;           // The server's own.
  int dicom_port = 0;
  int http_port = 0;
  std::string password;        // Of the adapter's account on the REST port, which only this host reaches.
  std::vector<Peer> viewers;   // May look and fetch.
  std::vector<Peer> modalities;  // The interfaces: may store, and are looked up in. Empty: degraded mode.
};

// "CT1@10.1.0.5:104" or "CT1@[fd00::5]:104". Throws Error "bad_params" naming `parameter`.
Peer ParsePeer(const std::string& text, const std::string& parameter);

// Of pacs.start's parameters; the password stays the one that `place` has, or is made.
Settings WantedSettings(const sdk::Context& context, const Place& place);

// Orthanc's configuration; the same settings give the same text.
std::string Configuration(const Settings& settings, const Place& place);

// What `place` is configured to be; nothing if it was never started. Throws Error "bad_configuration".
std::optional<Settings> ConfiguredSettings(const Place& place);
// The same, and Error "not_set_up".
Settings RequireSettings(const Place& place);

}  // namespace reprise::pacs
