#include "plugins/sanitize/yara.h"

#include <dlfcn.h>
#include <yara.h>

#include <algorithm>

#include "plugins/sdk/file.h"

namespace reprise::sanitize {
namespace {

constexpr size_t kRulesMax = 16 << 20;
constexpr const char* kLibrary = "libyara.so.9";

bool IsRules(const std::string& name) {
  for (const std::string_view ending : {".yar", ".yara"}) {
    if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) return true;
  }
  return false;
}

void OnMessage(int level, const char*, int line, const YR_RULE*, const char* message, void* text) {
  std::string& first = *static_cast<std::string*>(text);
  if (level == YARA_ERROR_LEVEL_ERROR && first.empty()) first = "line " + std::to_string(line) + ": " + message;
}

struct Matches {
  std::vector<std::string> rules;
  bool too_many = false;
};

int OnRule(YR_SCAN_CONTEXT*, int message, void* data, void* found) {
  Matches& matches = *static_cast<Matches*>(found);
  if (message == CALLBACK_MSG_RULE_MATCHING) matches.rules.emplace_back(static_cast<YR_RULE*>(data)->identifier);
  if (message == CALLBACK_MSG_TOO_MANY_MATCHES) matches.too_many = true;
  return CALLBACK_CONTINUE;
}

}  // namespace

struct Yara::Library {
  explicit Library(const std::string& path) : handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle == nullptr) {
      throw sdk::Error("yara_missing", "YARA rules were given, and libyara 4 cannot be opened: " + std::string(dlerror()),
                       "give libyara.so.9 as an artifact of the step, or install the package libyara9 on this host");
    }
    Take(initialize, "yr_initialize"), Take(create, "yr_compiler_create"), Take(destroy, "yr_compiler_destroy");
    Take(set_callback, "yr_compiler_set_callback"), Take(set_include, "yr_compiler_set_include_callback");
    Take(add_string, "yr_compiler_add_string"), Take(get_rules, "yr_compiler_get_rules");
    Take(scan_fd, "yr_rules_scan_fd"), Take(rules_destroy, "yr_rules_destroy");
    if (initialize() != ERROR_SUCCESS) throw sdk::Error("yara_failed", "libyara cannot begin");
  }
  template <typename Function>
  void Take(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (function == nullptr) throw sdk::Error("yara_missing", std::string("libyara has no ") + name, "version 4 is needed");
  }

  void* handle;
  decltype(&yr_initialize) initialize;
  decltype(&yr_compiler_create) create;
  decltype(&yr_compiler_destroy) destroy;
  decltype(&yr_compiler_set_callback) set_callback;
  decltype(&yr_compiler_set_include_callback) set_include;
  decltype(&yr_compiler_add_string) add_string;
  decltype(&yr_compiler_get_rules) get_rules;
  decltype(&yr_rules_scan_fd) scan_fd;
  decltype(&yr_rules_destroy) rules_destroy;
  YR_RULES* compiled = nullptr;
};

Yara::Yara(std::unique_ptr<Library> library) : library_(std::move(library)) {}

Yara::~Yara() {
  // The library stays: the process ends with the verb.
  if (library_->compiled != nullptr) library_->rules_destroy(library_->compiled);
}

std::unique_ptr<Yara> Yara::OfStep(const sdk::Context& context) {
  std::vector<std::pair<std::string, std::string>> texts;
  std::string path = kLibrary;
  for (const auto& [name, file] : context.artifacts()) {
    if (IsRules(name)) texts.emplace_back(name, sdk::ReadFile(file, kRulesMax));
    if (name == kLibrary) path = file.string();
  }
  if (texts.empty()) return nullptr;
  auto library = std::make_unique<Library>(path);
  YR_COMPILER* compiler = nullptr;
  if (library->create(&compiler) != ERROR_SUCCESS) throw sdk::Error("yara_failed", "libyara makes no compiler");
  const std::unique_ptr<YR_COMPILER, decltype(library->destroy)> held(compiler, library->destroy);
  std::string wrong;
  library->set_callback(compiler, OnMessage, &wrong);
  library->set_include(compiler, nullptr, nullptr, nullptr);  // Rules read no files of the host.
  for (const auto& [name, text] : texts) {
    if (library->add_string(compiler, text.c_str(), name.c_str()) > 0) {
      throw sdk::Error("bad_rules", "YARA rules " + name + ", " + wrong, "try them with yara before");
    }
  }
  if (library->get_rules(compiler, &library->compiled) != ERROR_SUCCESS) throw sdk::Error("yara_failed", "no memory for the rules");
  return std::unique_ptr<Yara>(new Yara(std::move(library)));
}

int Yara::rules() const { return static_cast<int>(library_->compiled->num_rules); }

std::vector<std::string> Yara::Scan(int fd, std::chrono::seconds most) const {
  Matches matches;
  const int result = library_->scan_fd(library_->compiled, fd, SCAN_FLAGS_REPORT_RULES_MATCHING, OnRule, &matches,
                                       static_cast<int>(std::max<int64_t>(1, most.count())));
  if (result != ERROR_SUCCESS) {
    throw sdk::Error("yara_failed", result == ERROR_SCAN_TIMEOUT ? "YARA took too long"
                                                                : "YARA failed with error " + std::to_string(result));
  }
  if (matches.too_many && matches.rules.empty()) throw sdk::Error("yara_failed", "too many matches of one string");
  return matches.rules;
}

}  // namespace reprise::sanitize
