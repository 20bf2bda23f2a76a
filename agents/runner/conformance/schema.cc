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

std::string WhyNotValid(const json& text, const json& value) {
  try {
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
