// The interface's states, its record, and what is read of HL7 and of the other side's list: decisions without a laboratory.
#include "plugins/lis/moves.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "plugins/lis/adapter.h"
#include "plugins/lis/connector.h"
#include "plugins/lis/hl7.h"
#include "plugins/lis/interface_record.h"
#include "plugins/lis/reconciliation.h"
#include "plugins/sdk/application/profile_reader.h"

namespace reprise::lis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using enum InterfaceState;

constexpr InterfaceState kAll[] = {kCut, kProposed, kApproved, kOpenSupervised, kOpen, kRetired};

TEST(LisMoves, OpenOnlyThroughProposalApprovalAndSupervision) {
  for (const InterfaceState from : kAll) {
    EXPECT_EQ(IsLegal(from, kOpenSupervised), from == kApproved || from == kOpen) << NameOf(from);
    EXPECT_EQ(IsLegal(from, kOpen), from == kOpenSupervised) << NameOf(from);
    EXPECT_EQ(IsLegal(from, kApproved), from == kProposed) << NameOf(from);
    EXPECT_FALSE(IsLegal(from, from)) << NameOf(from);
    EXPECT_FALSE(IsLegal(kRetired, from)) << "what is retired stays so";
  }
}

TEST(LisMoves, CloseInOneStepFromAnywhere) {
  for (const InterfaceState from : {kProposed, kApproved, kOpenSupervised, kOpen}) EXPECT_TRUE(IsLegal(from, kCut)) << NameOf(from);
}

TEST(LisMoves, NameEveryState) {
  for (const InterfaceState state : kAll) EXPECT_EQ(InterfaceStateOf(NameOf(state)), state);
  EXPECT_EQ(InterfaceStateOf("OPEN"), std::nullopt);
  EXPECT_EQ(NextOf(kOpenSupervised), "open, cut");
  EXPECT_EQ(NextOf(kRetired), "nowhere");
}

class LisRecord : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) / "lis_record";
  const sdk::Notes notes_{"lis", folder_};
};

TEST_F(LisRecord, IsCutWithoutOneAndKeepsEveryMove) {
  InterfaceRecord record = ReadRecord(notes_, "orders");
  EXPECT_EQ(record.state, kCut);
  int64_t now = 1000;
  for (const InterfaceState to : {kProposed, kApproved, kOpenSupervised, kOpen, kCut}) {
    now += 100;
    record = Moved(record, to, now, 3600, "D-" + std::to_string(now));
    WriteRecord(notes_, "orders", record);
    record = ReadRecord(notes_, "orders");
    EXPECT_EQ(record.state, to);
  }
  ASSERT_EQ(record.history.size(), 5u);
  EXPECT_EQ(record.history[2].decision, "D-1300");
  EXPECT_EQ(record.supervised_unix_s, 0) << "a new supervision counts from its own beginning";
  EXPECT_THAT(record.Shown(), HasSubstr("cut since 1970-01-01 00:25:00 UTC, by decision D-1500"));
}

TEST_F(LisRecord, TakenBackIsAsBefore) {
  InterfaceRecord record;
  for (const InterfaceState to : {kProposed, kApproved, kOpenSupervised}) record = Moved(record, to, 1000, 60, "D-1");
  EXPECT_EQ(record.until_unix_s, 1060);
  const InterfaceRecord open = Moved(record, kOpen, 1030, 60, "D-2");
  EXPECT_EQ(open.until_unix_s, 0);
  EXPECT_EQ(open.supervised_unix_s, 1000) << "what passed is counted from the first supervised minute";
  const InterfaceRecord back = Unmoved(open);
  EXPECT_EQ(back.state, kOpenSupervised);
  EXPECT_EQ(back.until_unix_s, 1060) << "supervision is not prolonged by undoing";
  EXPECT_EQ(Unmoved(back).state, kApproved);
  EXPECT_EQ(Unmoved(back).supervised_unix_s, 0);
}

TEST_F(LisRecord, ThatCannotBeReadIsAnErrorAndNotOpen) {
  notes_.Put("interface-orders", {{"state", "wide_open"}});
  EXPECT_THROW(ReadRecord(notes_, "orders"), sdk::Error);
  notes_.Put("interface-orders", {{"state", 4}});
  EXPECT_THROW(ReadRecord(notes_, "orders"), sdk::Error);
}

TEST(LisHl7, FramesAndUnframes) {
  const std::string message = ProbeMessage("LIS", "LAB", "NMD^N02", "C1", 0);
  EXPECT_EQ(message, "MSH|^~\\&|REPRISE|REPRISE|LIS|LAB|19700101000000||NMD^N02|C1|T|2.5\r");
  EXPECT_EQ(Unframed(Framed(message)), message);
  EXPECT_EQ(Unframed("junk" + Framed("a") + Framed("b")), "a");
  EXPECT_EQ(Unframed("\x0b" "half"), std::nullopt);
}

TEST(LisHl7, ReadsAcknowledgementsAndNothingElseAsOne) {
  const auto taken = ReadAcknowledgement("MSH|^~\\&|LIS|LAB|REPRISE|REPRISE|2022||ACK|7|T|2.5\rMSA|AA|C1|\r");
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->accepted());
  EXPECT_EQ(taken->control_id, "C1");
  EXPECT_FALSE(ReadAcknowledgement("MSH|^~\\&|x\rMSA|AE|C1\r")->accepted());
  for (const char* other : {"", "MSA|AA|C1", "MSH|^~\\&|x\rPID|1\r", "HTTP/1.1 200 OK\r\n\r\nMSA|AA|C1", "MSH|^~\\&|x\rMSA|AA\r"}) {
    EXPECT_FALSE(ReadAcknowledgement(other)) << other;
  }
}

TEST(LisHl7, AnAnswerThatSaysYesAndNoSaysNeither) {
  for (const char* both : {"MSH|^~\\&|x\rMSA|AA|C1\rMSA|AE|C1\r", "MSH|^~\\&|x\rMSA|AE|C1\rMSA|AA|C1\r", "MSH|^~\\&|x\rMSA|AA|C1\r\nMSA|AE|C1\r\n",
                           "MSH|^~\\&|x\rMSA|AA|C1\rMSA|AE\r", "MSH|^~\\&|x\rMSA|AA|C1\rMSA!AE!C1\r", "MSH|^~\\&|x\rMSA|AA|C1\rMSA|AA|C1\r"}) {
    EXPECT_FALSE(ReadAcknowledgement(both)) << both;
  }
}

TEST(LisReconciliation, NamesWhatIsLostDoubledRefusedAndUnsent) {
  const Traffic traffic = ParseTraffic("in\tA\tAA\nin\tB\tAA\nin\tB\tAA\nin\tC\tAR\nin\tX\tAA\nout\tR1\tAA\nout\tR2\t\nout\tR3\tAE\n");
  EXPECT_EQ(traffic.Shown(), "3 in, 1 out, 2 refused, 1 waiting");
  const Reconciled found = Reconcile({"A", "B", "C", "D", "A"}, traffic);
  EXPECT_EQ(found.sent, 4u);
  EXPECT_THAT(found.lost, ElementsAre("C", "D"));
  EXPECT_THAT(found.doubled, ElementsAre("B"));
  EXPECT_THAT(found.unsent, ElementsAre("X"));
  EXPECT_FALSE(found.holds());
  EXPECT_TRUE(Reconcile({"A", "A"}, ParseTraffic("in\tA\tAA\n")).holds()) << "sent twice, kept once";
  EXPECT_THROW(ParseTraffic("in\tA\n"), sdk::Error);
  EXPECT_THROW(ParseTraffic("sideways\tA\tAA\n"), sdk::Error);
}

TEST(LisReconciliation, WhatWasAcknowledgedAndIsNotInTheLaboratorysOwnTablesIsNotThere) {
  const Traffic traffic = ParseTraffic("in\tA\tAA\t1\nin\tB\tAA\t0\nin\tC\tAR\t0\nout\tR1\tAA\t0\n");
  EXPECT_EQ(traffic.in(), 1u);
  EXPECT_THAT(traffic.unmade, ElementsAre("B"));
  EXPECT_THAT(traffic.refused, ElementsAre("C"));
  EXPECT_EQ(traffic.Shown(), "1 in, 1 out, 1 refused, 0 waiting; 1 acknowledged and not in the laboratory's own tables (B)");
  const Reconciled found = Reconcile({"A", "B"}, traffic);
  EXPECT_FALSE(found.holds());
  EXPECT_THAT(found.unmade, ElementsAre("B"));
  EXPECT_TRUE(found.lost.empty()) << "it is named once";
  EXPECT_THAT(found.Shown(), HasSubstr("1 acknowledged and not in the laboratory's own tables (B)"));
  EXPECT_FALSE(Reconcile({"A"}, traffic).holds()) << "nor when the other side does not list it";
  EXPECT_TRUE(Reconcile({"A", "B"}, ParseTraffic("in\tA\tAA\t1\nin\tB\tAA\t2\n")).holds()) << "one message may ask for more than one";
  for (const char* row : {"in\tA\tAA\t\n", "in\tA\tAA\tmany\n", "in\tA\tAA\tAR\t0\n", "in\tA\tAA\tAR\n"}) {
    EXPECT_THROW(ParseTraffic(row), sdk::Error) << row;
  }
}

TEST(LisLedger, IsOneControlIdALine) {
  EXPECT_THAT(ParseLedger("# of the record\nA1\r\n\nB2\n"), ElementsAre("A1", "B2"));
  EXPECT_THROW(ParseLedger("A 1\n"), sdk::Error);
  EXPECT_THROW(ParseLedger(std::string(300, 'x')), sdk::Error);
  EXPECT_THAT(ParseLedger("\xef\xbb\xbf" "A1 \r\nB2\t \n  \nC3"), ElementsAre("A1", "B2", "C3"));
  EXPECT_THAT(ParseLedger("\xef\xbb\xbf# of the record\nA1\n"), ElementsAre("A1"));
  const auto why = [](std::string_view text) {
    try {
      ParseLedger(text);
    } catch (const sdk::Error& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_THAT(why("A1\n\nB 2\n"), HasSubstr("line 3 of the other side's list is no control id: it has a blank at column 2"));
  EXPECT_THAT(why("A1\nB\xc3\xa9\n"), HasSubstr("line 2 of the other side's list is no control id: it has a byte that is no plain character at column 2"));
  EXPECT_THAT(why(std::string(300, 'x')), HasSubstr("it is 300 bytes long"));
}

TEST(LisConnector, MustNameAnInterfaceAndAServiceOfItsOwn) {
  const auto profile = sdk::application::ProfileReader::Read(BuiltinProfiles().at("lis"), "profile");
  const std::string good = BuiltinProfiles().at("lis-interface");
  const Connector connector = ReadConnector(good, "interface", profile);
  EXPECT_EQ(connector.port, 2575);
  EXPECT_EQ(connector.spec.name, "lis-connector");
  const auto changed = [&](const char* pointer, const sdk::Json& value) {
    sdk::Json json = sdk::Json::parse(good);
    json[sdk::Json::json_pointer(pointer)] = value;
    return json.dump();
  };
  EXPECT_THROW(ReadConnector(changed("/name", "unheard-of"), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector(changed("/service/name", "lis"), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector(changed("/application", "LIS|EVIL"), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector(changed("/messages", {"DELETE FROM hl7.message"}), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector(changed("/address", "lis.hospital:2575"), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector(changed("/surprise", 1), "interface", profile), sdk::Error);
  EXPECT_THROW(ReadConnector("[]", "interface", profile), sdk::Error);
}

}  // namespace
}  // namespace reprise::lis
