// Action `post`, on a workstation: the files of the client (a launcher, its configuration), and the proof that this very
// post reaches the service. A post that the bubble does not admit gets no launcher that leads nowhere: it fails, and says so.
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/http.h"
#include "plugins/sdk/application/kept.h"
#include "plugins/sdk/application/profile_reader.h"
#include "plugins/sdk/spelling.h"

namespace reprise::sdk::application {

class PostAction : public Action {
 public:
  explicit PostAction(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "post",
            .summary = "Install the client on this post, and prove that it reaches the service",
            .undoable = true,
            .needs = {.network = true,
                      .paths = {"/etc", "/opt", "/usr/local", "/usr/share/applications", std::string("/var/lib/reprise-plugins/") + adapter_.plugin}},
            .timeout = "5m",
            .memory_mb = 256,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       LikeAddressAndPort(Text("server").Required().AtMost(100).About("The service as posts reach it")),
                       Duration("wait").Default("5s").About("How long the service may take to answer")}};
  }

  ProbeResult Probe(Context& context) override {
    const Job job(context, adapter_);
    const Reached reached = Reach(context, job);
    std::string missing;
    for (const KeptFile& file : job.files) {
      if (!IsAsWanted(file)) missing += (missing.empty() ? "" : ", ") + file.path;
    }
    const bool holds = reached.yes && missing.empty();
    const std::string summary = !reached.yes ? reached.text : missing.empty() ? "client installed; " + reached.text : "not as wanted: " + missing;
    return {.holds = holds,
            .summary = summary,
            .observed = {{"reached", reached.yes}},
            .evidence = {{"socket", reached.text}, {"file", missing.empty() ? "all " + std::to_string(job.files.size()) + " files as wanted" : "not as wanted: " + missing}},
            .claims = {{std::string(adapter_.plugin) + ".post", holds ? ClaimState::kHolds : ClaimState::kFails, summary}}};
  }

  PlanResult Plan(Context& context) override {
    const Job job(context, adapter_);
    PlanResult plan;
    for (const KeptFile& file : job.files) {
      if (!IsAsWanted(file)) plan.changes.push_back({"file " + file.path, "", std::to_string(file.content.size()) + " bytes"});
    }
    plan.summary = plan.changes.empty() ? "nothing to do" : "install the client for " + context.Param("server");
    return plan;
  }

  ApplyResult Apply(Context& context) override {
    const Job job(context, adapter_);
    context.Progress(0.1, "reaching " + context.Param("server"));
    const Reached reached = Reach(context, job);
    if (!reached.yes) {
      throw Error(reached.answered ? "wrong_service" : "not_admitted",
                  reached.answered ? reached.text : "this post does not reach the service: " + reached.text,
                  reached.answered ? "is this the application's address?" : "is this post admitted to the bubble, and does the service run?");
    }
    bool all = true;
    for (const KeptFile& file : job.files) all = all && IsAsWanted(file);
    if (all) return {false, "client installed already; " + reached.text};
    WriteKept(Notes(adapter_.plugin), Key(job), job.files);
    return {true, std::to_string(job.files.size()) + " files written; " + reached.text};
  }

  VerifyResult Verify(Context& context) override {
    ProbeResult looked = Probe(context);
    return {.holds = looked.holds, .summary = looked.summary, .evidence = std::move(looked.evidence), .claims = std::move(looked.claims)};
  }

  RollbackResult Rollback(Context& context) override {
    const Job job(context, adapter_);
    return {BringBack(Notes(adapter_.plugin), Key(job)) ? "the client's files are as they were before"
                                                        : "nothing to undo: this step wrote nothing on this host"};
  }

 private:
  struct Job {
    Job(const Context& context, const Adapter& adapter) : profile(ProfileOf(context, adapter)) {
      const std::string server = context.Param("server");
      const Address address = ParseAddress(server);
      if (!profile.post) throw Error("no_client", "profile " + profile.name + " has no client for posts", "give it one: post");
      files = profile.post->files;
      for (KeptFile& file : files) {
        for (const auto& [mark, value] : {std::pair("{server}", server), {"{address}", address.host}, {"{port}", address.port}}) {
          for (size_t at; (at = file.content.find(mark)) != std::string::npos;) file.content.replace(at, std::string(mark).size(), value);
        }
      }
    }
    Profile profile;
    std::vector<KeptFile> files;
  };
  struct Reached {
    bool yes = false, answered = false;
    std::string text;
  };

  static std::string Key(const Job& job) { return "post-" + job.profile.name; }

  static Reached Reach(const Context& context, const Job& job) {
    const std::string server = context.Param("server");
    const Post& post = *job.profile.post;
    const HttpAnswer answer = Get(context, server, post.http, context.Duration("wait"));
    if (answer.status == 0) return {false, false, server + ": " + answer.why_not};
    if (answer.status != 200) return {false, true, server + post.http + ": HTTP status " + std::to_string(answer.status)};
    if (post.field.empty()) return {true, true, server + " answers"};
    const auto value = FieldOf(answer.body, post.field);
    if (!value || (post.equals && *value != *post.equals)) {
      return {false, true, server + post.http + ": " + post.field + " is " + value.value_or("missing").substr(0, 80) + ", expected " +
                               post.equals.value_or("a value")};
    }
    return {true, true, server + " answers, " + post.field + " is " + value->substr(0, 80)};
  }

  const Adapter& adapter_;
};

}  // namespace reprise::sdk::application
