// Valid inputs, by target: what mutations start from, and what a new corpus begins with. Made in code, from the world;
// documents are the example dossiers.
#pragma once

#include <string>
#include <vector>

namespace reprise::fuzz {

std::vector<std::string> DossierSeeds();
std::vector<std::string> SelectorSeeds();
std::vector<std::string> StatementSeeds();
std::vector<std::string> KeyringSeeds();
std::vector<std::string> MinisignSeeds();
std::vector<std::string> AgentBatchSeeds();
std::vector<std::string> CoordinatorBatchSeeds();
std::vector<std::string> PlanSeeds();
std::vector<std::string> EventsSeeds();
std::vector<std::string> StateSeeds();
std::vector<std::string> PluginResultSeeds();

}  // namespace reprise::fuzz
