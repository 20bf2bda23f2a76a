#include "plugins/lis/connector.h"

#include "plugins/sdk/application/http.h"
#include "plugins/sdk/application/profile_reader.h"

namespace reprise::lis {
namespace {

using sdk::Json;
using sdk::Fields;

sdk::application::ServiceSpec ReadService(const Fields& fields) {
  sdk::application::ServiceSpec spec;
  spec.name = fields.Name("name");
  spec.existing = fields.Boolean("existing", false);
  if (!spec.existing) {
    spec.title = fields.Text("title", spec.name);
    spec.user = fields.Name("user");
    spec.command = fields.Texts("command");
    if (spec.command.empty() || !sdk::IsPlainPath(spec.command[0])) fields.Refuse("command", "a program by its absolute path, and its arguments");
    spec.reads = fields.Paths("reads");
    spec.writes = fields.Paths("writes");
  }
  fields.Done();
  return spec;
}

// What stands in a field of a message of ours.
std::string Part(const Fields& fields, const std::string& key) {
  const std::string text = fields.Text(key);
  if (text.size() > 60 || text.find_first_of("|~\\&\r") != std::string::npos) fields.Refuse(key, "at most 60 characters, none of | ~ \\ &");
  return text;
}

}  // namespace

Connector ReadConnector(const std::string& text, const std::string& where, const sdk::application::Profile& profile) {
  const Json value = Json::parse(text, nullptr, false);
  const Fields fields(value, where, "the format is described in plugins/lis/README.md");
  if (fields.Text("format") != kConnectorFormat) fields.Refuse("format", kConnectorFormat);
  Connector connector;
  connector.name = fields.Name("name");
  bool known = false;
  for (const auto& interface : profile.interfaces) known = known || interface.name == connector.name;
  if (!known) fields.Refuse("name", "the name of an interface of the profile");
  connector.title = fields.Text("title");
  connector.spec = ReadService(fields.Object("service"));
  if (connector.spec.name == profile.service.spec.name) fields.Refuse("service", "a service of its own, that can be down while the application is up");
  connector.address = fields.Text("address");
  connector.port = std::stoi(sdk::application::ParseAddress(connector.address).port);
  connector.application = Part(fields, "application");
  connector.facility = Part(fields, "facility");
  connector.probe_type = Part(fields, "probe_type");
  connector.module = fields.Name("module");
  known = false;
  for (const auto& module : profile.modules) known = known || module.name == connector.module;
  if (!known) fields.Refuse("module", "the name of a module of the profile");
  connector.messages = fields.Lines("messages", " ");
  if (connector.messages.rfind("SELECT ", 0) != 0) fields.Refuse("messages", "lines of one SELECT");
  fields.Done();
  return connector;
}

Connector ConnectorOf(const sdk::Context& context, const sdk::application::Profile& profile, const std::string& builtin) {
  const std::string artifact = profile.name + ".interface.json";
  if (context.artifacts().contains(artifact)) {
    return ReadConnector(sdk::ReadFile(context.Artifact(artifact), 1 << 20), artifact, profile);
  }
  return ReadConnector(builtin, "built-in interface", profile);
}

}  // namespace reprise::lis
