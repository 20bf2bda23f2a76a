#include "core/cli/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reprise::cli {
namespace {

using ::testing::ElementsAre;

TEST(JsonLines, GiveEachValueItsPath) {
  EXPECT_THAT(LinesOf(Json::parse(R"({"os": {"name": "Debian", "release": 12}, "disks": ["sda", "sdb"], "swap": false,
                                     "mounts": [{"at": "/", "gb": 4.5}, {"at": "/var", "gb": null}], "usb": []})")),
              ElementsAre("os.name: Debian", "os.release: 12", "disks: sda, sdb", "swap: no", "mounts[0].at: /", "mounts[0].gb: 4.5",
                          "mounts[1].at: /var", "mounts[1].gb: -", "usb: none"));
}

TEST(JsonLines, LetNoValueForgeALine) {
  EXPECT_THAT(LinesOf(Json{{"a\nb", "1\n2\x1b[2J"}}), ElementsAre("a b: 1 2 [2J"));
}

TEST(JsonLines, EndAtADepth) {
  Json deep = 1;
  for (int i = 0; i < 100; ++i) deep = Json{{"a", deep}};
  EXPECT_EQ(LinesOf(deep).size(), 1);
}

}  // namespace
}  // namespace reprise::cli
