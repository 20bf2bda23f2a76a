#include "agents/runner/conformance/schema.h"

#include <exception>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace reprise::conformance {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

void Read(const json& text, valijson::Schema& schema) {
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(NlohmannJsonAdapter(text), schema);
}

// std::regex goes deeper with every character: a pattern may be tried on short texts only, or the stack ends.
constexpr size_t kPatternBytesMax = 8192;

// Cuts long texts of the object where a pattern is to be tried. What is longer than its own maxLength needs no pattern to
// be refused: returns why.
std::string CutForPatterns(const json& schema, json& value) {
  const auto properties = schema.find("properties");
  if (!value.is_object() || properties == schema.end() || !properties->is_object()) return "";
  for (auto& [name, text] : value.items()) {
    if (!text.is_string() || !properties->contains(name)) continue;
    std::string& long_text = text.get_ref<std::string&>();
    if (long_text.size() <= kPatternBytesMax || !(*properties)[name].contains("pattern")) continue;
    // Counted in characters, of at most 4 bytes.
    const auto most = (*properties)[name].find("maxLength");
    if (most != (*properties)[name].end() && most->is_number_unsigned() && long_text.size() / 4 > most->get<size_t>()) {
      return name + ": longer than maxLength";
    }
    long_text.resize(kPatternBytesMax);
  }
  return "";
}

}  // namespace

std::string WhyNotASchema(const json& text) {
  try {
    valijson::Schema schema;
    Read(text, schema);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string WhyNotValid(const json& text, const json& given) {
  try {
    json value = given;
    if (std::string why = CutForPatterns(text, value); !why.empty()) return why;
    valijson::Schema schema;
    Read(text, schema);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema, NlohmannJsonAdapter(value), &results)) return "";
    valijson::ValidationResults::Error error;
    results.popError(error);
    std::string where;
    for (const std::string& part : error.context) where += part;
    return where + ": " + error.description;
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace reprise::conformance
