// Gauges that count by the words of an enumeration: one series for every word, so that none appears or vanishes later.
#pragma once

#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <string>

#include "core/model/names.h"

namespace reprise::coordinator {

using GaugesByNumber = std::map<int, prometheus::Gauge*>;  // By value of an enumeration.

template <class Enum>
GaugesByNumber ForEach(prometheus::Family<prometheus::Gauge>& family, const char* label,
                       std::map<std::string, std::string> labels = {}) {
  GaugesByNumber gauges;
  for (const std::string& name : model::NamesOf<Enum>()) {
    labels[label] = name;
    gauges[static_cast<int>(*model::FromName<Enum>(name))] = &family.Add(labels);
  }
  return gauges;
}

template <class Enum>
GaugesByNumber ForEach(prometheus::Registry& registry, const char* name, const char* help, const char* label) {
  return ForEach<Enum>(prometheus::BuildGauge().Name(name).Help(help).Register(registry), label);
}

// What is not among `counts` is 0.
inline void Set(const GaugesByNumber& gauges, const std::map<int, double>& counts) {
  for (const auto& [value, gauge] : gauges) {
    const auto found = counts.find(value);
    gauge->Set(found == counts.end() ? 0 : found->second);
  }
}

}  // namespace reprise::coordinator
