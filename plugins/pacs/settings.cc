#include "plugins/pacs/settings.h"

#include <arpa/inet.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>

#include "plugins/sdk/file.h"

namespace reprise::pacs {
namespace {

using sdk::Error;
using sdk::Json;

constexpr const char* kAccount = "reprise";
constexpr const char* kViewer = "viewer-";
constexpr const char* kModality = "modality-";

bool IsTitle(const std::string& text) {
  return !text.empty() && text.size() <= 16 && sdk::IsName(text);
}

std::string NewPassword() {
  unsigned char bytes[24];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) sdk::ThrowErrno(errno, "getrandom");
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// Every right is named: what a later version of Orthanc adds shall not be granted by default.
Json Node(const Peer& peer, bool looks, bool moves, bool stores) {
  return {{"AET", peer.title},       {"Host", peer.address},        {"Port", peer.port},
          {"AllowEcho", true},       {"AllowFind", looks},          {"AllowFindWorklist", false},
          {"AllowGet", looks},       {"AllowMove", moves},          {"AllowStore", stores},
          {"AllowNAction", false},   {"AllowEventReport", false},   {"AllowStorageCommitment", false},
          {"AllowTranscoding", false}};
}

std::vector<Peer> PeersOf(const sdk::Context& context, const std::string& parameter) {
  std::vector<Peer> peers;
  for (const std::string& text : context.Param<std::vector<std::string>>(parameter)) {
    const Peer peer = ParsePeer(text, parameter);
    if (peer.title == kOwnTitle) {
      throw Error("bad_params", "parameter " + parameter + " has " + peer.Shown() + ": " + kOwnTitle + " is the adapter's own title");
    }
    if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
  }
  return peers;
}

}  // namespace

Peer ParsePeer(const std::string& text, const std::string& parameter) {
  const auto refuse = [&](const std::string& expected) -> Error {
    return Error("bad_params", "parameter " + parameter + " has " + text.substr(0, 80) + ", expected " + expected,
                 "for example CT1@10.1.0.5:104");
  };
  const size_t at = text.find('@');
  const size_t colon = text.rfind(':');
  if (at == std::string::npos || colon == std::string::npos || colon < at) throw refuse("TITLE@ADDRESS:PORT");
  Peer peer{text.substr(0, at), text.substr(at + 1, colon - at - 1), 0};
  if (!IsTitle(peer.title)) throw refuse("a title of at most 16 letters, digits and . _ -");
  if (peer.address.size() > 2 && peer.address.front() == '[' && peer.address.back() == ']') {
    peer.address = peer.address.substr(1, peer.address.size() - 2);
  }
  unsigned char bytes[16];
  if (inet_pton(AF_INET, peer.address.c_str(), bytes) != 1 && inet_pton(AF_INET6, peer.address.c_str(), bytes) != 1) {
    throw refuse("an address, not a name");
  }
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(begin, end, peer.port);
  if (read.ec != std::errc() || read.ptr != end || peer.port < 1 || peer.port > 65535) throw refuse("a port from 1 to 65535");
  return peer;
}

Settings WantedSettings(const sdk::Context& context, const Place& place) {
  Settings settings;
  settings.title = context.Param("title");
  if (!IsTitle(settings.title)) {
    throw Error("bad_params", "parameter title is " + settings.title.substr(0, 40) + ", expected at most 16 letters, digits and . _ -");
  }
  settings.dicom_port = context.Param<int>("dicom_port");
  settings.http_port = context.Param<int>("http_port");
  if (settings.dicom_port == settings.http_port) {
    throw Error("bad_params", "dicom_port and http_port are both " + std::to_string(settings.http_port));
  }
  settings.viewers = PeersOf(context, "viewers");
  settings.modalities = PeersOf(context, "modalities");
  const auto now = ConfiguredSettings(place);
  settings.password = now ? now->password : NewPassword();
  return settings;
}

std::string Configuration(const Settings& settings, const Place& place) {
  Json nodes = {{"own", Node({kOwnTitle, "127.0.0.1", 11112}, true, false, false)}};
  for (size_t i = 0; i < settings.viewers.size(); ++i) {
    nodes[kViewer + std::to_string(i + 1)] = Node(settings.viewers[i], true, true, false);
  }
  for (size_t i = 0; i < settings.modalities.size(); ++i) {
    nodes[kModality + std::to_string(i + 1)] = Node(settings.modalities[i], true, true, true);
  }
  const Json configuration = {{"Name", place.service},
                              {"StorageDirectory", place.storage().string()},
                              {"IndexDirectory", place.index().string()},
                              {"StorageCompression", false},
                              // What is fetched back to be compared comes from the disk, not from a memory of what was stored.
                              {"MaximumStorageCacheSize", 0},
                              {"OverwriteInstances", false},
                              {"SyncStorageArea", true},
                              {"Plugins", Json::array()},
                              {"LuaScripts", Json::array()},
                              {"ExecuteLuaEnabled", false},
                              {"HttpPort", settings.http_port},
                              {"RemoteAccessAllowed", false},
                              {"AuthenticationEnabled", true},
                              {"RegisteredUsers", {{kAccount, settings.password}}},
                              {"HttpCompressionEnabled", false},
                              {"OrthancExplorerEnabled", false},
                              {"WebDavEnabled", false},
                              {"DicomAet", settings.title},
                              {"DicomPort", settings.dicom_port},
                              {"DicomCheckCalledAet", true},
                              {"DicomCheckModalityHost", true},
                              {"StrictAetComparison", true},
                              {"DicomAlwaysAllowEcho", false},
                              {"DicomAlwaysAllowStore", false},
                              {"DicomAlwaysAllowFind", false},
                              {"DicomAlwaysAllowFindWorklist", false},
                              {"DicomAlwaysAllowGet", false},
                              {"DicomAlwaysAllowMove", false},
                              {"DicomModalities", nodes},
                              {"DicomModalitiesInDatabase", false},
                              {"OrthancPeers", Json::object()},
                              {"OrthancPeersInDatabase", false},
                              {"DeidentifyLogs", true},
                              {"SaveJobs", false}};
  return configuration.dump(2) + "\n";
}

std::optional<Settings> ConfiguredSettings(const Place& place) {
  const auto text = sdk::ReadFileIfThere(place.configuration());
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  try {
    Settings settings;
    settings.title = json.at("DicomAet").get<std::string>();
    settings.dicom_port = json.at("DicomPort").get<int>();
    settings.http_port = json.at("HttpPort").get<int>();
    settings.password = json.at("RegisteredUsers").at(kAccount).get<std::string>();
    const auto read = [&](const std::string& prefix, std::vector<Peer>& into) {
      for (size_t i = 1; json.at("DicomModalities").contains(prefix + std::to_string(i)); ++i) {
        const Json& node = json.at("DicomModalities").at(prefix + std::to_string(i));
        into.push_back({node.at("AET"), node.at("Host"), node.at("Port")});
      }
    };
    read(kViewer, settings.viewers);
    read(kModality, settings.modalities);
    return settings;
  } catch (const Json::exception&) {
    throw Error("bad_configuration", place.configuration().string() + " is not as pacs.start writes it",
                "move it away and start the server again");
  }
}

Settings RequireSettings(const Place& place) {
  auto settings = ConfiguredSettings(place);
  if (!settings) {
    throw Error("not_set_up", "there is no " + place.configuration().string() + ": this server was never started here",
                "run pacs.start first");
  }
  return *std::move(settings);
}

}  // namespace reprise::pacs
