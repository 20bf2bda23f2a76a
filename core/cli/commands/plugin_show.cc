#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/upload.h"
#include "core/cli/plugin_file.h"
#include "core/cli/table.h"

namespace reprise::cli {
namespace {

constexpr size_t kTypeWidthMax = 36;

// "edr", "edr@1.2", or a library on this machine.
absl::StatusOr<std::string> DescriptorOf(Context& context, const std::string& wanted) {
  if (absl::EndsWith(wanted, ".so") || wanted.find('/') != std::string::npos) {
    ASSIGN_OR_RETURN(const PluginFile file, DescribePlugin(wanted));
    return file.descriptor_json;
  }
  const size_t at = wanted.find('@');
  const std::string name = wanted.substr(0, at);
  const std::string version = at == std::string::npos ? "" : wanted.substr(at + 1);
  ASSIGN_OR_RETURN(const auto list, ListBlobs(context, "plugin"));
  std::vector<std::string> names;
  std::vector<std::string> versions;
  std::optional<std::string> newest;
  for (const auto& blob : list.blobs()) {
    names.push_back(blob.name());
    if (blob.name() != name) continue;
    versions.push_back(blob.version());
    if (version.empty() || blob.version() == version) newest = blob.descriptor_json();
  }
  if (newest) return *newest;
  if (!versions.empty()) {
    return absl::NotFoundError(absl::StrCat("plugin ", name, " has no version ", version, " in the store; it has ",
                                            absl::StrJoin(versions, ", ")));
  }
  const std::string nearest = NearestName(name, names);
  return absl::NotFoundError(
      absl::StrCat("plugin ", name, " is not in the store; ",
                   nearest.empty() ? "`reprise plugin ls` lists them" : absl::StrCat("did you mean ", nearest, "?")));
}

// A descriptor comes from whoever wrote the plugin: nothing in it is taken for granted.
std::string TextAt(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return "";
  const Json& value = object[key];
  return OneLine(value.is_string() ? value.get<std::string>()
                                   : value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool Yes(const Json& object, const char* key) {
  return TextAt(object, key) == "true";
}

Color ColorOf(const std::string& effect) {
  if (effect == "read") return Color::kGood;
  return effect == "change" ? Color::kWarning : Color::kBad;
}

std::string TypeOf(const Json& schema) {
  if (schema.is_object() && schema.contains("enum")) return absl::StrCat("one of ", TextAt(schema, "enum"));
  std::string type = TextAt(schema, "type");
  for (const char* bound : {"minimum", "maximum", "minLength", "maxLength", "pattern", "format"}) {
    if (const std::string text = TextAt(schema, bound); !text.empty()) absl::StrAppend(&type, ", ", bound, " ", text);
  }
  return type;
}

void PrintParameters(Context& context, const Json& schema) {
  if (!schema.is_object() || !schema.contains("properties") || !schema["properties"].is_object() ||
      schema["properties"].empty()) {
    context.Say("  no parameters");
    return;
  }
  // Where a person looks on, a long list of words does not push the meaning away.
  const size_t type_max = context.cut() && context.terminal.OutIsTerminal() ? kTypeWidthMax : 0;
  Table table({"  PARAMETER", "NEEDED", "TYPE", "DEFAULT", "MEANING"});
  for (const auto& [name, property] : schema["properties"].items()) {
    bool needed = false;
    if (schema.contains("required") && schema["required"].is_array()) {
      for (const Json& required : schema["required"]) needed = needed || required == name;
    }
    table.Add({"  " + OneLine(name), needed ? "yes" : "no", Shorten(TypeOf(property), type_max),
               TextAt(property, "default"), TextAt(property, "description")});
  }
  table.Print(context.terminal, context.cut());
}

std::string NeedsOf(const Json& action) {
  std::vector<std::string> needs;
  const Json object = action.contains("needs") ? action["needs"] : Json();
  if (Yes(object, "root")) needs.push_back("root");
  if (Yes(object, "network")) needs.push_back("network");
  if (Yes(object, "processes")) needs.push_back("the host's processes");
  if (object.is_object() && object.contains("paths") && object["paths"].is_array()) {
    for (const Json& path : object["paths"]) {
      if (path.is_string()) needs.push_back(OneLine(path.get<std::string>()));
    }
  }
  return needs.empty() ? "nothing" : absl::StrJoin(needs, ", ");
}

void PrintAction(Context& context, const std::string& plugin, const Json& action) {
  const std::string effect = TextAt(action, "effect");
  context.Say("");
  context.Say(absl::StrCat(context.terminal.Paint(absl::StrCat(plugin, ".", TextAt(action, "name")), Color::kBold),
                           "  ", context.terminal.Paint(effect, ColorOf(effect)), "  ", TextAt(action, "summary")));
  context.Say(absl::StrCat("  ", Yes(action, "undoable") ? "can be undone" : "cannot be undone", "; needs ",
                           NeedsOf(action), "; timeout ", TextAt(action, "timeout"), ", memory ",
                           TextAt(action, "memory_mb"), " MiB",
                           Yes(action, "protected") ? "; may run on protected classes" : ""));
  PrintParameters(context, action.contains("params") ? action["params"] : Json());
}

absl::StatusOr<int> Show(Context& context, const std::string& wanted) {
  ASSIGN_OR_RETURN(const std::string text, DescriptorOf(context, wanted));
  const Json descriptor = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!descriptor.is_object()) {
    return absl::DataLossError(absl::StrCat("what plugin ", wanted, " says of itself is no JSON object"));
  }
  if (context.json()) {
    context.PrintJson(descriptor);
    return kExitOk;
  }
  const std::string name = TextAt(descriptor, "name");
  context.Say(absl::StrCat(name, " ", TextAt(descriptor, "version"), "  ", TextAt(descriptor, "summary")));
  if (!descriptor.contains("actions") || !descriptor["actions"].is_array()) return kExitOk;
  for (const Json& action : descriptor["actions"]) {
    if (action.is_object()) PrintAction(context, name, action);
  }
  return kExitOk;
}

}  // namespace

Action DeclarePluginShow(CommandLine& app) {
  auto wanted = std::make_shared<std::string>();
  app.Option("PLUGIN", *wanted, "A name from the store, NAME@VERSION, or a library's FILE.so").Required();
  app.Footer(
      "Examples:\n"
      "  reprise plugin show edr\n"
      "  reprise plugin show edr@1.2.0\n"
      "  reprise plugin show build/plugins/edr.so      runs the library's code to ask it; needs no coordinator\n"
      "  reprise -o json plugin show edr | jq '.actions[].params'");
  return [wanted](Context& context) { return Show(context, *wanted); };
}

}  // namespace reprise::cli
