// The values of a workflow's parameters: what was given, else the default, each of its declared type.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/plan/diagnostics.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// From a parameter's name to its value. Only those that have one.
using ParameterValues = std::map<std::string, Json>;

// What people gave on the command line, text by text ("site=nord"), or as a document's node.
// Unknown names, wrong types, values outside `enum:` and required ones that are missing are reported, with the nearest name.
ParameterValues ReadParameters(const Workflow& workflow, const std::map<std::string, std::string>& given,
                               Diagnostics& diagnostics);

// The values that a selector compares with: a list gives each of its items.
std::vector<std::string> TextsOf(const Json& value);

}  // namespace reprise::plan
