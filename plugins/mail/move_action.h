// mail.prestage, mail.delta, mail.cut_over: one batch moved, further each time. README.md has their parameters.
#pragma once

#include "plugins/mail/batch_site.h"
#include "plugins/sdk/action.h"

namespace reprise::mail {

class MoveAction : public sdk::Action {
 public:
  sdk::ProbeResult Probe(sdk::Context& context) override;
  sdk::PlanResult Plan(sdk::Context& context) override;
  sdk::ApplyResult Apply(sdk::Context& context) override;
  sdk::VerifyResult Verify(sdk::Context& context) override;

 protected:
  static sdk::ActionInfo Info(const char* name, const char* summary, sdk::Params params);
  virtual const char* claim() const = 0;
  virtual const char* doing() const = 0;
  // As the mail lead reads it.
  virtual const char* french() const = 0;
  // Whether a box is where this action brings it.
  virtual bool IsThrough(BoxState state) const = 0;
  // Whether the source must be asked too, before it can be said that nothing is to do.
  virtual bool LooksAtTheSource() const { return false; }
  virtual BoxOptions Options(Site& site) const { return site.Options(); }
  // Whether what was found of a box that is through is good.
  virtual bool IsGood(const VerifyCounts& counts) const { return counts.sound(); }
};

// Copies what is there while people still work in the source.
class Prestage final : public MoveAction {
 public:
  sdk::ActionInfo Describe() const override;

 private:
  const char* claim() const override { return "mail.prestaged"; }
  const char* doing() const override { return "prestaging"; }
  const char* french() const override { return "pré-copie"; }
  bool IsThrough(BoxState state) const override { return state == BoxState::kPrestaged || state == BoxState::kVerified || state == BoxState::kCutOver; }
};

// Brings what came, changed and vanished since.
class Delta final : public MoveAction {
 public:
  sdk::ActionInfo Describe() const override;

 private:
  const char* claim() const override { return "mail.prestaged"; }
  const char* doing() const override { return "delta"; }
  const char* french() const override { return "rattrapage"; }
  bool IsThrough(BoxState state) const override { return state == BoxState::kPrestaged || state == BoxState::kVerified || state == BoxState::kCutOver; }
  bool LooksAtTheSource() const override { return true; }
};

// Closes the source, brings the last of it, proves that both sides are the same.
class CutOver final : public MoveAction {
 public:
  sdk::ActionInfo Describe() const override;

 private:
  const char* claim() const override { return "mail.cut_over"; }
  const char* doing() const override { return "cutting over"; }
  const char* french() const override { return "bascule"; }
  bool IsThrough(BoxState state) const override { return state == BoxState::kCutOver; }
  BoxOptions Options(Site& site) const override;
  bool IsGood(const VerifyCounts& counts) const override { return counts.holds(); }
};

}  // namespace reprise::mail
