// Documents of a dossier: any bytes are read and what is wrong is told; what is sound is compiled, and the coordinator's
// engine takes every plan that the compiler made.
#include "core/engine/plan_index.h"
#include "core/plan/compile.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

// A few bytes may declare a million hosts; compiling those is a matter of seconds, and no fault.
constexpr size_t kHostsMax = 1000;

void CompileOne(const plan::Dossier& dossier, const plan::Workflow& workflow, std::string_view bytes) {
  plan::Diagnostics diagnostics, of_compiling;  // What places point to stands in both.
  for (plan::Diagnostics* each : {&diagnostics, &of_compiling}) each->AddSource("fuzz.yaml", std::string(bytes));
  static const model::Keyring keyring = TheWorld().people.Keyring();
  plan::CompileRequest request{.dossier = dossier,
                               .workflow = workflow,
                               .parameters = plan::ReadParameters(workflow, {}, diagnostics),
                               .catalog = TheWorld().catalog,
                               .known = {},
                               .coordinator_asked = false,
                               .keyring = &keyring,
                               .requester = "bob",
                               .nonce = "0123456789abcdef",
                               .now = kNoon,
                               .exercise = false,
                               .expires_ms = 0};
  // What is required was not given: take the least that is of its type.
  for (const plan::ParameterSpec& parameter : workflow.parameters) {
    if (request.parameters.contains(parameter.name) || parameter.type != plan::ParameterType::kString) continue;
    request.parameters[parameter.name] = "x";
  }
  const auto compiled = plan::Compile(std::move(request), of_compiling);
  Check(compiled.has_value() == of_compiling.ok(), "there is a plan, or it is said why not", of_compiling.Render());
  if (!compiled) return;
  const auto index = engine::PlanIndex::Read(compiled->bundle);
  Check(index.ok(), "what was compiled can be submitted", index.status().ToString());
  const auto statement = model::PlanStatement::Read(compiled->bundle.statement());
  Check(statement.ok() && statement->hosts == compiled->leaves.size(), "what is signed says how many hosts there are");
}

void Try(std::string_view bytes) {
  plan::Diagnostics diagnostics;
  plan::Dossier dossier;
  plan::ReadDocuments(diagnostics.AddSource("fuzz.yaml", std::string(bytes)), dossier, diagnostics);
  Check(diagnostics.ok() == diagnostics.ToStatus().ok(), "errors are told");
  Check(diagnostics.Render().empty() == (diagnostics.errors() + diagnostics.warnings() == 0), "what was found is shown");
  if (!diagnostics.ok() || dossier.inventory.hosts.size() > kHostsMax) return;
  for (const plan::Workflow& workflow : dossier.workflows) {
    Check(dossier.FindWorkflow(workflow.name) != nullptr, "a workflow is found by its name", workflow.name);
    CompileOne(dossier, workflow, bytes);
  }
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
