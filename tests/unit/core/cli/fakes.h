// A person at a terminal, for tests of commands: a profile with real keys and a real certificate in a folder of its own, a
// coordinator that answers what the test says and remembers what it was asked, a terminal whose words are kept.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/cli/application.h"
#include "core/cli/client.h"
#include "core/cli/context.h"
#include "core/trust/certificate_authority.h"
#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::cli::testing {

using agents::testing::kHour;
using agents::testing::kNoon;
using agents::testing::People;

class FakeTerminal final : public Terminal {
 public:
  std::ostream& out() override { return out_; }
  std::ostream& err() override { return err_; }
  bool OutIsTerminal() const override { return watched; }
  bool ErrIsTerminal() const override { return watched; }
  size_t Width() const override { return width; }
  absl::StatusOr<std::string> Ask(const std::string& question) override { return Next(question, answers); }
  absl::StatusOr<std::string> AskSecret(const std::string& question) override { return Next(question, secrets); }

  std::string Out() const { return out_.str(); }
  std::string Err() const { return err_.str(); }
  void Clear() {
    out_.str("");
    err_.str("");
    questions.clear();
  }

  bool watched = false;              // By a person: colours, bars.
  size_t width = 0;
  std::deque<std::string> answers;   // Taken one by one; when there is none, nobody is there.
  std::deque<std::string> secrets;
  std::vector<std::string> questions;

 private:
  absl::StatusOr<std::string> Next(const std::string& question, std::deque<std::string>& from) {
    questions.push_back(question);
    if (from.empty()) return absl::FailedPreconditionError("nobody is at the terminal to answer: " + question);
    std::string answer = from.front();
    from.pop_front();
    return answer;
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

// What the coordinator says to each method, and what it heard. A method without an answer is UNIMPLEMENTED.
class FakeCoordinator {
 public:
  using Message = google::protobuf::Message;

  template <typename Request, typename Response>
  void On(const std::string& method, std::function<absl::StatusOr<Response>(const Request&)> answer) {
    calls_[method] = [answer = std::move(answer)](const Message& request, Message* response) -> absl::Status {
      absl::StatusOr<Response> said = answer(dynamic_cast<const Request&>(request));
      if (!said.ok()) return said.status();
      dynamic_cast<Response&>(*response) = *std::move(said);
      return absl::OkStatus();
    };
  }
  template <typename Response>
  void Answer(const std::string& method, const Response& response) {
    calls_[method] = [response](const Message&, Message* into) {
      dynamic_cast<Response&>(*into) = response;
      return absl::OkStatus();
    };
  }
  void Fail(const std::string& method, const absl::Status& status) {
    calls_[method] = [status](const Message&, Message*) { return status; };
    streams_[method] = {{}, status};
  }
  // What a watching method tells, and how it ends.
  template <typename Response>
  void Stream(const std::string& method, const std::vector<Response>& responses,
              const absl::Status& end = absl::OkStatus()) {
    Told told{{}, end};
    for (const Response& response : responses) told.messages.push_back(std::make_shared<Response>(response));
    streams_[method] = std::move(told);
  }

  // The requests of a method, in order.
  template <typename Request>
  std::vector<Request> Heard(const std::string& method) const {
    std::vector<Request> requests;
    for (const auto& [name, request] : heard_) {
      if (name == method) requests.push_back(dynamic_cast<const Request&>(*request));
    }
    return requests;
  }
  template <typename Request>
  Request Last(const std::string& method) const {
    const auto requests = Heard<Request>(method);
    EXPECT_FALSE(requests.empty()) << method << " was never called";
    return requests.empty() ? Request() : requests.back();
  }
  // Names of all methods called, in order.
  std::vector<std::string> Methods() const {
    std::vector<std::string> names;
    for (const auto& [name, request] : heard_) names.push_back(name);
    return names;
  }

  struct Uploaded {
    plan::v1::BlobInfo info;
    std::string bytes;
  };
  std::vector<Uploaded> uploads;
  absl::Status upload_end;  // What an upload ends with.

 private:
  friend class FakeClient;
  struct Told {
    std::vector<std::shared_ptr<Message>> messages;
    absl::Status end;
  };
  void Hear(const std::string& method, const Message& request) {
    std::shared_ptr<Message> copy(request.New());
    copy->CopyFrom(request);
    heard_.emplace_back(method, std::move(copy));
  }

  std::map<std::string, std::function<absl::Status(const Message&, Message*)>> calls_;
  std::map<std::string, Told> streams_;
  std::vector<std::pair<std::string, std::shared_ptr<Message>>> heard_;
};

class FakeClient final : public Client {
 public:
  // `coordinator` outlives it.
  explicit FakeClient(FakeCoordinator& coordinator) : coordinator_(coordinator) {}

  absl::StatusOr<ops::BlobList> Upload(const plan::v1::BlobInfo& info, const NextChunk& next) override {
    FakeCoordinator::Uploaded uploaded{info, ""};
    for (;;) {
      absl::StatusOr<std::string> chunk = next();
      if (!chunk.ok()) return chunk.status();
      if (chunk->empty()) break;
      uploaded.bytes += *chunk;
    }
    if (!coordinator_.upload_end.ok()) return coordinator_.upload_end;
    coordinator_.uploads.push_back(std::move(uploaded));
    ops::BlobList list;
    *list.add_blobs() = info;
    return list;
  }

 protected:
  absl::Status DoCall(const std::string& method, const Message& request, Message* response) override {
    coordinator_.Hear(method, request);
    const auto found = coordinator_.calls_.find(method);
    if (found == coordinator_.calls_.end()) return absl::UnimplementedError(method + ": the test gave no answer");
    return found->second(request, response);
  }
  absl::Status DoWatch(const std::string& method, const Message& request, Message* response,
                       const std::function<bool()>& on_message) override {
    coordinator_.Hear(method, request);
    const auto found = coordinator_.streams_.find(method);
    if (found == coordinator_.streams_.end()) return absl::UnimplementedError(method + ": the test gave no answer");
    for (const auto& message : found->second.messages) {
      response->CopyFrom(*message);
      if (!on_message()) return absl::OkStatus();
    }
    return found->second.end;
  }

 private:
  FakeCoordinator& coordinator_;
};

// A folder that is gone with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = std::filesystem::temp_directory_path() / "cli-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Runs commands as `person` of People's keyring (alice: admin, operator, approver; bob: operator, approver; carol:
// approver). The keyring's first version is pinned in the profile; the signing key stands there without a password.
struct Desk {
  explicit Desk(std::vector<CommandRow> rows, const std::string& person = "alice")
      : commands(std::move(rows)), authority(*trust::CertificateAuthority::Create("test", kNoon)) {
    profile.folder = scratch / "profile";
    profile.coordinator = "10.77.0.1:7443";
    profile.join = "10.77.0.1:7445";
    profile.web = "https://10.77.0.1:7444";
    profile.operator_name = person;
    profile.keyring_fingerprint = people.Keyring().fingerprint();
    profile.ca_pem = authority.certificate();
    profile.key_pem = *trust::NewKey();
    profile.certificate_pem = *authority.IssueOperator(*trust::NewRequest(profile.key_pem, person), person, kNoon);
    EXPECT_OK(SaveProfile(profile));
    EXPECT_OK(WriteFileDurably(profile.SigningKey(), *people.key(person).File(""), 0600));
    TellKeyring();
  }

  // The chain of `people` as it stands now.
  void TellKeyring() {
    ops::KeyringView view;
    view.set_version(static_cast<uint32_t>(people.chain().size()));
    for (const auto& statement : people.chain()) *view.add_chain() = statement;
    coordinator.Answer("GetKeyring", view);
  }

  // The exit code. The terminal forgets what was said before.
  int Run(std::vector<std::string> arguments) {
    terminal.Clear();
    Context context(terminal, clock, random, [this](const Profile&, int64_t timeout) {
      timeout_ms = timeout;
      return std::make_unique<FakeClient>(coordinator);
    });
    if (with_profile) {
      arguments.insert(arguments.begin(), profile.folder.string());
      arguments.insert(arguments.begin(), "--profile");
    }
    std::vector<GroupRow> groups;
    for (const CommandRow& row : commands) {
      const std::string name = row.group;
      const bool known = std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
      if (!name.empty() && !known) groups.push_back({row.group, ""});
    }
    return RunApplication(groups, commands, arguments, context);
  }
  std::string Out() const { return terminal.Out(); }
  std::string Err() const { return terminal.Err(); }
  // What was printed, as JSON; fails the test when it is none.
  Json OutJson() const {
    Json value = Json::parse(terminal.Out(), nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(value.is_discarded()) << terminal.Out() << terminal.Err();
    return value;
  }

  const std::vector<CommandRow> commands;
  TestFolder scratch;
  People people;
  trust::CertificateAuthority authority;
  Profile profile;
  ManualClock clock{kNoon};
  SystemRandom random;
  FakeTerminal terminal;
  FakeCoordinator coordinator;
  bool with_profile = true;  // Gives --profile.
  int64_t timeout_ms = 0;    // As the last client was made with.
};

}  // namespace reprise::cli::testing
