// A profile from its JSON text, read strictly: an unknown field, a wrong type, a name that is not there are Error
// "bad_profile". And where a step's profile comes from.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugins/sdk/application/profile.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/fields.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/pattern.h"

namespace reprise::sdk::application {

inline constexpr const char* kProfileFormat = "reprise-application-profile/1";

// What an adapter is, beside its actions: its name and the profiles that were built into it, by their names.
struct Adapter {
  const char* plugin;
  const char* profile;  // The one that is meant where a step names none.
  const std::map<std::string, std::string>& (*builtin)();
};

class ProfileReader {
 public:
  static Profile Read(const std::string& text, const std::string& where) {
    const Json value = Json::parse(text, nullptr, false);
    if (!value.is_object()) {
      throw Error("bad_profile", where + " is no JSON object", "see plugins/sdk/application/README.md");
    }
    return ProfileReader().ReadAll(Fields(value, where, "the format is described in plugins/sdk/application/README.md"));
  }

 private:
  Profile ReadAll(const Fields& fields) {
    if (fields.Text("format") != kProfileFormat) fields.Refuse("format", kProfileFormat);
    Profile profile;
    profile.name = fields.Name("name");
    profile.title = fields.Text("title");
    profile.vendor = fields.Text("vendor");
    ReadModules(fields, profile);
    if (!profile.modules.empty() || fields.Has("cluster")) profile.cluster = ReadCluster(fields.Object("cluster"));
    for (const Fields& item : fields.ObjectsIfThere("roles")) profile.roles.push_back(ReadRole(item));
    profile.service = ReadService(fields.Object("service"));
    for (const Fields& item : fields.ObjectsIfThere("interfaces")) profile.interfaces.push_back(ReadInterface(item));
    if (fields.Has("degraded")) ReadDegraded(fields.Object("degraded"), profile);
    if (fields.Has("protocol")) profile.protocol = ReadProtocol(fields.Object("protocol"));
    for (const Fields& item : fields.ObjectsIfThere("exports")) profile.exports.push_back(ReadExport(item));
    if (fields.Has("post")) profile.post = ReadPost(fields.Object("post"));
    profile.stop_order = fields.Has("stop_order") ? fields.Texts("stop_order") : std::vector<std::string>{"service"};
    for (const std::string& part : profile.stop_order) {
      if (part != "service" && part != "cluster") fields.Refuse("stop_order", "service, cluster");
    }
    fields.Done();
    return profile;
  }

  void ReadModules(const Fields& fields, Profile& profile) {
    std::set<std::string> bases;
    // Names first: a check may ask any module's base.
    const std::vector<Fields> items = fields.ObjectsIfThere("modules");
    for (const Fields& item : items) {
      if (!modules_.insert(item.Name("name")).second) item.Refuse("name", "each module once");
    }
    std::set<std::string> before;
    for (const Fields& item : items) {
      Module module;
      module.name = item.Name("name");
      module.title = item.Text("title");
      module.base = item.Identifier("base");
      if (!bases.insert(module.base).second) item.Refuse("base", "each base once");
      module.owner = item.Has("owner") ? item.Identifier("owner") : module.base + "_owner";
      module.after = item.TextsIfThere("after");
      for (const std::string& other : module.after) {
        if (!before.contains(other)) item.Refuse("after", "names of modules further up");
      }
      module.files = item.Texts("files");
      if (module.files.empty()) item.Refuse("files", "at least one pattern");
      module.checks = ReadChecks(item, "checks", module.name);
      item.Done();
      before.insert(module.name);
      profile.modules.push_back(std::move(module));
    }
  }

  Cluster ReadCluster(const Fields& fields) {
    Cluster cluster;
    cluster.service = fields.Name("service");
    cluster.folder = fields.Path("folder");
    for (const char* key : {"folder", "socket"}) {  // Where `restore` says that it writes.
      const std::string path = fields.Path(key);
      if (path.rfind("/var/lib/", 0) != 0 && path.rfind("/srv/", 0) != 0) fields.Refuse(key, "a folder below /var/lib or /srv");
    }
    cluster.socket = fields.Path("socket");
    if (cluster.socket.size() > 80) fields.Refuse("socket", "at most 80 bytes, as sockets have it");
    if (fields.Has("port")) cluster.port = fields.Integer("port", 1, 65535);
    if (fields.Has("listen")) cluster.listen = fields.Name("listen");
    if (fields.Has("user")) cluster.user = fields.Name("user");
    if (fields.Has("programs")) cluster.programs = fields.Path("programs");
    if (fields.Has("time_zone")) {
      cluster.time_zone = fields.Text("time_zone");
      if (cluster.time_zone.find_first_of("' \\") != std::string::npos) fields.Refuse("time_zone", "a zone's name");
    }
    cluster.settings = fields.TextsIfThere("settings");
    fields.Done();
    return cluster;
  }

  Role ReadRole(const Fields& fields) {
    Role role;
    role.name = fields.Identifier("name");
    role.os_user = fields.Name("os_user");
    role.rights = fields.Text("rights");
    if (role.rights != "read" && role.rights != "write" && role.rights != "own") {
      fields.Refuse("rights", "read, write or own");
    }
    if (fields.Has("password_file")) role.password_file = fields.Path("password_file");
    fields.Done();
    return role;
  }

  ServiceSpec ReadSpec(const Fields& fields) {
    ServiceSpec spec;
    spec.name = fields.Name("name");
    spec.existing = fields.Boolean("existing", false);
    if (spec.existing) return spec;
    spec.title = fields.Text("title", spec.name);
    spec.user = fields.Name("user");
    spec.command = fields.Texts("command");
    if (spec.command.empty() || !IsPlainPath(spec.command[0])) {
      fields.Refuse("command", "a program by its absolute path, and its arguments");
    }
    for (const std::string& pair : fields.TextsIfThere("environment")) {
      const size_t equal = pair.find('=');
      if (equal == std::string::npos || !IsName(pair.substr(0, equal))) fields.Refuse("environment", "NAME=VALUE");
      spec.environment[pair.substr(0, equal)] = pair.substr(equal + 1);
    }
    spec.reads = fields.Paths("reads");
    spec.writes = fields.Paths("writes");
    return spec;
  }

  Service ReadService(const Fields& fields) {
    Service service;
    service.spec = ReadSpec(fields);
    service.address = fields.Text("address");
    if (service.address.find(':') == std::string::npos) fields.Refuse("address", "ADDRESS:PORT");
    service.checks = ReadChecks(fields, "checks", "");
    fields.Done();
    return service;
  }

  Interface ReadInterface(const Fields& fields) {
    Interface interface;
    interface.name = fields.Name("name");
    if (fields.Has("title")) fields.Text("title");
    for (const std::string& port : fields.TextsIfThere("listens")) {
      if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
          std::stoi(port) < 1 || std::stoi(port) > 65535) {
        fields.Refuse("listens", "ports in quotes, such as \"8443\"");
      }
      interface.listens.push_back(std::stoi(port));
    }
    interface.connects = fields.TextsIfThere("connects");
    for (const std::string& end : interface.connects) {
      const size_t colon = end.rfind(':');
      if (colon == std::string::npos || end.find_first_not_of("0123456789", colon + 1) != std::string::npos ||
          colon + 1 == end.size()) {
        fields.Refuse("connects", "ADDRESS:PORT or :PORT");
      }
    }
    fields.Done();
    return interface;
  }

  KeptFile ReadFileRule(const Fields& fields) {
    KeptFile file;
    file.path = fields.Path("path");
    file.content = fields.Lines("lines");
    const std::string mode = fields.Text("mode", "0644");
    if (mode.size() != 4 || mode.find_first_not_of("01234567") != std::string::npos || mode[0] != '0') {
      fields.Refuse("mode", "four octal digits such as 0644");
    }
    file.mode = static_cast<unsigned>(std::stoul(mode, nullptr, 8));
    return file;
  }

  void ReadDegraded(const Fields& fields, Profile& profile) {
    if (fields.Has("path")) profile.degraded = ReadFileRule(fields);
    profile.degraded_checks = ReadChecks(fields, "checks", "");
    fields.Done();
  }

  Protocol ReadProtocol(const Fields& fields) {
    Protocol protocol;
    protocol.id = fields.Name("id");
    protocol.owner = fields.Text("owner");
    protocol.checks = ReadChecks(fields, "checks", "");
    if (protocol.checks.empty()) fields.Refuse("checks", "at least one check");
    fields.Done();
    return protocol;
  }

  ExportRule ReadExport(const Fields& fields) {
    ExportRule rule;
    rule.name = fields.Name("name");
    rule.module = ModuleName(fields);
    rule.query = Query(fields, "query");
    rule.totals = Query(fields, "totals");
    rule.group = fields.Text("group");
    rule.sum = fields.Text("sum");
    fields.Done();
    return rule;
  }

  Post ReadPost(const Fields& fields) {
    Post post;
    for (const Fields& item : fields.ObjectsIfThere("files")) {
      post.files.push_back(ReadFileRule(item));
      item.Done();
    }
    if (post.files.empty()) fields.Refuse("files", "at least one file");
    post.http = fields.Path("http");
    post.field = fields.Text("field", "");
    if (fields.Has("equals")) post.equals = fields.Text("equals");
    fields.Done();
    return post;
  }

  std::string ModuleName(const Fields& fields) {
    const std::string name = fields.Name("module");
    if (!modules_.contains(name)) fields.Refuse("module", "the name of a module of this profile");
    return name;
  }

  // A text, or a list of lines. What begins otherwise psql could take for a command of its own.
  std::string Query(const Fields& fields, const std::string& key) {
    std::string query = fields.Lines(key, " ");
    if (query.rfind("SELECT ", 0) != 0 && query.rfind("WITH ", 0) != 0) fields.Refuse(key, "lines of one SELECT or WITH");
    while (query.back() == ' ') query.pop_back();
    if (query.back() == ';') fields.Refuse(key, "no ; at the end");
    return query;
  }

  std::vector<Check> ReadChecks(const Fields& fields, const std::string& key, const std::string& module) {
    std::vector<Check> checks;
    std::set<std::string> names;
    for (const Fields& item : fields.ObjectsIfThere(key)) {
      Check check;
      check.name = item.Name("name");
      if (!names.insert(check.name).second) item.Refuse("name", "each check once");
      check.title = item.Text("title", "");
      if (item.Has("query")) {
        check.query = Query(item, "query");
        check.module = module.empty() ? ModuleName(item) : module;
      }
      if (item.Has("http")) {
        if (!module.empty()) item.Refuse("http", "query: a module's own checks ask its base only");
        check.http = item.Path("http");
        check.field = item.Text("field", "");
      }
      if (item.Has("equals")) check.equals = item.Text("equals");
      if (item.Has("at_least")) check.at_least = item.Integer("at_least", 0, 2'000'000'000);
      check.fresh_only = item.Boolean("fresh_only", false);
      const int expected = int(check.equals.has_value()) + int(check.at_least.has_value());
      if (check.query.empty() && check.http.empty()) item.Refuse("query", "query, http, or both");
      const bool both = !check.query.empty() && !check.http.empty();
      if (both && (check.field.empty() || expected != 0)) item.Refuse("field", "the field that equals the query's value");
      if (!both && expected != 1 && !(check.query.empty() && check.field.empty())) {
        item.Refuse("equals", "either equals or at_least");
      }
      item.Done();
      checks.push_back(std::move(check));
    }
    return checks;
  }

  std::set<std::string> modules_;
};

inline Param ProfileParam(const Adapter& adapter) {
  return Name("profile").Default(adapter.profile).AtMost(64).About(
      "The application's profile: built in, or the artifact NAME.profile.json, or profile_file");
}
inline Param ProfileFileParam() { return Path("profile_file").About("A profile that lies on the host"); }

// The artifact NAME.profile.json of the step, else the file of the host that `profile_file` names, else the one built in.
inline Profile ProfileOf(const Context& context, const Adapter& adapter) {
  const std::string name = context.Param("profile");
  const std::string artifact = name + ".profile.json";
  std::string where = "profile " + name, text;
  if (context.artifacts().contains(artifact)) {
    where = artifact;
    text = ReadFile(context.Artifact(artifact), 1 << 20);
  } else if (context.Has("profile_file")) {
    where = context.Param("profile_file");
    struct stat found {};
    if (stat(where.c_str(), &found) != 0) ThrowErrno(errno, "look at " + where);
    if (found.st_uid != 0 || (found.st_mode & 022) != 0) {
      throw Error("unsafe_path", where + " may be written by others than root: it says what is run as a service");
    }
    text = ReadFile(where, 1 << 20);
  } else if (const auto found = adapter.builtin().find(name); found != adapter.builtin().end()) {
    text = found->second;
  } else {
    std::string known;
    for (const auto& [builtin, ignored] : adapter.builtin()) known += (known.empty() ? "" : ", ") + builtin;
    throw Error("bad_params", "parameter profile is " + name + ", expected one of " + known,
                "or give the step the artifact " + artifact + ", or profile_file");
  }
  Profile profile = ProfileReader::Read(text, where);
  if (profile.name != name) throw Error("bad_profile", where + ": name is " + profile.name + ", expected " + name);
  return profile;
}

// `name` may be empty where the profile has one module only. Throws Error "bad_params".
inline const Module& ModuleOf(const Profile& profile, const std::string& name) {
  if (name.empty() && profile.modules.size() == 1) return profile.modules[0];
  std::string known;
  for (const Module& module : profile.modules) {
    if (module.name == name) return module;
    known += (known.empty() ? "" : ", ") + module.name;
  }
  throw Error("bad_params", "parameter module is " + (name.empty() ? "missing" : name) + ", expected one of " + known);
}

}  // namespace reprise::sdk::application
