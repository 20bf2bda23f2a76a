#include "core/plan/selector.h"

#include <rapidcheck.h>

#include <map>

#include "core/plan/inventory.h"
#include "tests/support/status_matchers.h"

namespace reprise::plan {
namespace {

using absl::StatusCode;
using ::reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Host Workstation() {
  Host host;
  host.name = "ws-1";
  host.asset_class = model::v1::ASSET_CLASS_WORKSTATION;
  host.zone = model::v1::ZONE_DIRTY;
  host.trust = model::v1::TRUST_STATE_SUSPECT;
  host.labels = {{"row", "a b"}, {"site", "nord"}};
  return host;
}

bool Matches(const Selector& selector, const Host& host) {
  return selector.Matches({.name = host.name,
                           .zone = host.zone,
                           .asset_class = host.asset_class,
                           .trust = host.trust,
                           .agent = host.agent,
                           .label = [&host](std::string_view key) { return host.Label(key); }});
}

bool Matches(const std::string& text) {
  const auto selector = Selector::Parse(text);
  EXPECT_OK(selector) << text;
  return selector.ok() && Matches(*selector, Workstation());
}

TEST(Selector, ComparesEveryPropertyByEveryOperator) {
  for (const char* yes :
       {"all", "name == ws-1", "name != ws-2", "zone == dirty", "zone in (bubble, dirty)", "class not in (server)",
        "trust == suspect", "agent == true", "labels.site == nord", "labels.row == \"a b\"", "labels.row == 'a b'",
        "not name == ws-2", "not not all", "(zone == dirty) and (agent != false)"}) {
    EXPECT_TRUE(Matches(yes)) << yes;
  }
  for (const char* no : {"name == ws-2", "zone != dirty", "zone in (bubble)", "class not in (server, workstation)",
                         "agent == false", "labels.site in (sud, est)", "not all"}) {
    EXPECT_FALSE(Matches(no)) << no;
  }
}

TEST(Selector, BindsAndTighterThanOr) {
  EXPECT_TRUE(Matches("name == ws-1 or name == ws-2 and zone == bubble"));
  EXPECT_FALSE(Matches("(name == ws-1 or name == ws-2) and zone == bubble"));
  EXPECT_TRUE(Matches("not name == ws-2 and zone == dirty"));
}

TEST(Selector, AHostWithoutTheLabelEqualsNothing) {
  EXPECT_FALSE(Matches("labels.floor == one"));
  EXPECT_TRUE(Matches("labels.floor != one"));
  EXPECT_TRUE(Matches("labels.floor not in (one, two)"));
  EXPECT_FALSE(Matches(Selector(), Workstation()));
}

TEST(Selector, SaysWhereAndWhatWasExpected) {
  SelectorError error;
  EXPECT_THAT(Selector::Parse("zone == durty", error),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("did you mean \"dirty\"?")));
  EXPECT_EQ(error.offset, 8u);
  EXPECT_THAT(Selector::Parse("nam == x"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("\"nam\" is no property of a host")));
  EXPECT_THAT(Selector::Parse("name = x"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("expected ==, !=, in, not in")));
  EXPECT_THAT(Selector::Parse("name == x name"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("column 11")));
  EXPECT_THAT(Selector::Parse("name in (a, b"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("ends too early")));
  EXPECT_THAT(Selector::Parse("name == \"x"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("a value")));
  EXPECT_THAT(Selector::Parse("  "), StatusIs(StatusCode::kInvalidArgument, HasSubstr("empty")));
}

TEST(Selector, IsBoundedInDepthAndLength) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '(') + "all" + std::string(static_cast<size_t>(depth), ')');
  };
  EXPECT_OK(Selector::Parse(nested(Selector::kDepthMax)));
  EXPECT_THAT(Selector::Parse(nested(Selector::kDepthMax + 1)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("nested more than 32 deep")));
  EXPECT_THAT(Selector::Parse(nested(5000)), StatusIs(StatusCode::kInvalidArgument, HasSubstr("deep")));
  EXPECT_THAT(Selector::Parse(std::string(Selector::kBytesMax + 1, ' ')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most 16384")));
}

TEST(Selector, TakesParametersValues) {
  ASSERT_OK_AND_ASSIGN(Selector selector, Selector::Parse("labels.site == params.site and not name in params.spared"));
  EXPECT_FALSE(Matches(selector, Workstation()));
  SelectorError error;
  std::map<std::string, std::vector<std::string>> values = {{"site", {"nord"}}, {"spared", {}}};
  const auto give = [&values](const std::string& name) { return values.at(name); };
  Selector none_spared = selector;
  ASSERT_OK(none_spared.Bind(give, error));
  EXPECT_TRUE(Matches(none_spared, Workstation()));
  values["spared"] = {"ws-9", "ws-1", "ws-4"};
  ASSERT_OK(selector.Bind(give, error));
  EXPECT_FALSE(Matches(selector, Workstation()));
}

TEST(Selector, RefusesAParametersValueThatItsPropertyCannotHave) {
  ASSERT_OK_AND_ASSIGN(Selector selector, Selector::Parse("zone in params.zones"));
  SelectorError error;
  EXPECT_THAT(selector.Bind(
                  [](const std::string&) {
                    return std::vector<std::string>{"dirty", "clean"};
                  },
                  error),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no zone is called \"clean\"")));
  EXPECT_EQ(error.offset, 8u);
}

TEST(Selector, NamesWhatItRefersTo) {
  using Kind = Selector::Reference::Kind;
  ASSERT_OK_AND_ASSIGN(const Selector selector,
                       Selector::Parse("name == ws-1 or labels.site == params.s and labels.row == b"));
  std::vector<std::pair<Kind, std::string>> found;
  for (const auto& reference : selector.References()) found.emplace_back(reference.kind, reference.text);
  EXPECT_THAT(found, ElementsAre(std::pair(Kind::kHostName, "ws-1"), std::pair(Kind::kLabelKey, "site"),
                                 std::pair(Kind::kParameter, "s"), std::pair(Kind::kLabelKey, "row"),
                                 std::pair(Kind::kLabelValue, "b")));
}

// A selector made at random with the answer that it must give.
struct Made {
  std::string text;
  bool answer;
};

Made Make(int depth) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
  if (kind == 0) {
    static const std::vector<Made> kLeaves = {{"all", true},
                                              {"name == ws-1", true},
                                              {"name in (x, y)", false},
                                              {"labels.site != nord", false},
                                              {"labels.none not in (a)", true},
                                              {"zone == bubble", false},
                                              {"class == workstation", true}};
    return *rc::gen::elementOf(kLeaves);
  }
  const Made left = Make(depth - 1);
  if (kind == 1) return {"not (" + left.text + ")", !left.answer};
  const Made right = Make(depth - 1);
  if (kind == 2) return {"(" + left.text + ") and (" + right.text + ")", left.answer && right.answer};
  return {"(" + left.text + ") or (" + right.text + ")", left.answer || right.answer};
}

TEST(Selector, AnswersAsItsPartsDo) {
  rc::check("random selectors", [] {
    const Made made = Make(*rc::gen::inRange(0, 5));
    const auto selector = Selector::Parse(made.text);
    RC_ASSERT(selector.ok());
    RC_ASSERT(Matches(*selector, Workstation()) == made.answer);
  });
}

TEST(Selector, BearsAnyBytes) {
  using namespace std::string_literals;
  rc::check("bytes", [] {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::elementOf("(),=!\"' \tnamelszo._params.in\xc3\x00"s));
    const auto selector = Selector::Parse(text);
    if (selector.ok()) Matches(*selector, Workstation());
  });
}

}  // namespace
}  // namespace reprise::plan
