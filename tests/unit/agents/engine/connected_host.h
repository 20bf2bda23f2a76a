// An admitted host, connected, and a plan of one step.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agents/engine/fake_host.h"

namespace reprise::agents::testing {

class ConnectedHostTest : public ::testing::Test {
 protected:
  ConnectedHostTest() {
    host.Connect();
    host.HearHostStatement(Admission(people));
  }

  People people;
  PlanMaker plan{people};
  FakeHost host{EnrolledRecords(people)};
};

}  // namespace reprise::agents::testing
