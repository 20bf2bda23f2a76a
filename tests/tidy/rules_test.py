#!/usr/bin/env python3
"""The rules can fail: each is shown one file that breaks it and one that does not."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rules  # noqa: E402


def found(rule, files):
    return [f"{c.path}:{c.line}" for c in rule(files)]


class FloorsTest(unittest.TestCase):
    def including(self, path, target):
        return found(rules.includes_respect_the_floors, {path: f'#include "{target}"\n'})

    def test_a_lower_floor_may_be_included(self):
        self.assertEqual(self.including("core/plan/a.cc", "core/model/names.h"), [])
        self.assertEqual(self.including("core/model/a.h", "reprise/model/v1/model.pb.h"), [])
        self.assertEqual(self.including("agents/spool/a.cc", "agents/engine/course.h"), [])

    def test_a_higher_floor_may_not(self):
        self.assertEqual(self.including("core/model/a.cc", "core/plan/compile.h"), ["core/model/a.cc:1"])
        self.assertEqual(self.including("core/base/a.h", "core/crypto/sha256.h"), ["core/base/a.h:1"])

    def test_the_same_floor_may_not_unless_it_is_named(self):
        self.assertEqual(self.including("core/plan/a.cc", "core/engine/engine.h"), ["core/plan/a.cc:1"])
        self.assertEqual(self.including("core/crypto/a.cc", "core/base/text.h"), [])
        self.assertEqual(self.including("core/cli/a.cc", "core/web/b.h"), ["core/cli/a.cc:1"])

    def test_an_adapter_sees_the_sdk_and_nothing_else(self):
        self.assertEqual(self.including("plugins/edr/a.cc", "plugins/sdk/action.h"), [])
        self.assertEqual(self.including("plugins/edr/a.cc", "plugins/edr/b.h"), [])
        self.assertEqual(self.including("plugins/edr/a.cc", "core/base/text.h"), ["plugins/edr/a.cc:1"])
        self.assertEqual(self.including("plugins/edr/a.cc", "plugins/host/b.h"), ["plugins/edr/a.cc:1"])
        self.assertEqual(self.including("plugins/sdk/a.h", "core/base/text.h"), ["plugins/sdk/a.h:1"])

    def test_what_is_outside_the_house_is_not_judged(self):
        self.assertEqual(self.including("tests/sim/a.cc", "agents/daemon/b.h"), [])
        self.assertEqual(self.including("core/plan/a.cc", "absl/strings/str_cat.h"), [])

    def test_an_include_must_exist_and_start_at_the_root(self):
        rule = rules.includes_stand_in_the_tree
        self.assertEqual(found(rule, {"core/plan/a.cc": '#include "../b.h"\n'}), ["core/plan/a.cc:1"])
        self.assertEqual(found(rule, {"core/plan/a.cc": '#include "core/plan/b.h"\n'}), ["core/plan/a.cc:1"])
        self.assertEqual(found(rule, {"core/plan/a.cc": '\n#include "core/plan/b.h"\n', "core/plan/b.h": ""}), [])

    def test_a_pure_room_has_no_clock_and_no_threads(self):
        rule = rules.pure_rooms_stay_pure
        self.assertEqual(found(rule, {"core/engine/a.cc": "#include <chrono>\n"}), ["core/engine/a.cc:1"])
        self.assertEqual(found(rule, {"core/journal/a.cc": "#include <mutex>\n", "core/engine/a.cc": "#include <map>\n"}), [])

    def test_grpc_stays_behind_plain_headers(self):
        rule = rules.heavy_headers_stay_at_the_edge
        self.assertEqual(found(rule, {"core/journal/a.cc": "#include <grpcpp/grpcpp.h>\n"}), ["core/journal/a.cc:1"])
        edge = {"agents/daemon/link.h": "#include <grpcpp/grpcpp.h>\n"}
        self.assertEqual(found(rule, edge), [])
        self.assertEqual(found(rule, edge | {"core/cli/a.cc": '#include "agents/daemon/link.h"\n'}), ["core/cli/a.cc:1"])


class BansTest(unittest.TestCase):
    def banned(self, path, text):
        return sorted({c.rule for c in rules.banned_words_have_replacements({path: text})})

    def test_each_ban_is_seen_in_code(self):
        for code, ban in [
            ("std::cout << std::endl;", "endl"), ("  assert(x > 0);", "assert"), ("std::system(line);", "shell"),
            ('FILE* f = popen("ls", "r");', "shell"), ("if (fork() == 0) {", "fork"), ("strcpy(a, b);", "c-strings"),
            ("int n = atoi(text);", "c-numbers"), ("x = rand() % 6;", "rand"), ("worker.detach();", "detach"),
            ("sleep(1);", "sleep"), ("char* p = NULL;", "null"), ('#include "absl/log/log.h"', "absl-log"),
            ("#include <bits/stdc++.h>", "bits"),
        ]:
            self.assertEqual(self.banned("core/plan/a.cc", code + "\n"), [ban], code)
        self.assertEqual(self.banned("core/plan/a.h", "using namespace std;\n"), ["using-namespace"])
        self.assertEqual(self.banned("tests/lab/a.py", "subprocess.run(line, shell=True)\n"), ["python-shell"])
        self.assertEqual(self.banned("tests/lab/a.py", "    except:\n"), ["bare-except"])

    def test_likenesses_are_not_banned(self):
        for code in ["static_assert(x);", "// std::endl flushes", 'Say("do not use system(x)");', "file.system(x);",
                     "EXPECT_ASSERT(x);", 'auto s = R"(assert(1))";', "/* rand() */", "int operand(int);",
                     "std::this_thread::sleep_for(tick);", "ecosystem(x);", "char c = '\"'; int NULLABLE;"]:
            self.assertEqual(self.banned("core/plan/a.cc", code + "\n"), [], code)

    def test_literals_of_many_lines_keep_the_line_numbers(self):
        text = 'auto s = R"(\nassert(1)\n)";\nassert(2);\n'
        self.assertEqual(found(rules.banned_words_have_replacements, {"core/plan/a.cc": text}), ["core/plan/a.cc:4"])

    def test_a_digit_separator_is_no_character(self):
        text = "int a = 1'000; assert(a); int b = 2'000;\n"
        self.assertEqual(self.banned("core/plan/a.cc", text), ["assert"])


class FilesTest(unittest.TestCase):
    def test_nothing_is_left_to_do(self):
        self.assertEqual(found(rules.nothing_is_left_to_do, {"a.md": "fine\nTODO: more\n"}), ["a.md:2"])
        self.assertEqual(found(rules.nothing_is_left_to_do, {"a.md": "todos are fine\n"}), [])

    def test_paths_of_one_machine_are_seen(self):
        rule = rules.no_path_of_one_machine
        self.assertEqual(found(rule, {"a.sh": "cd /work/main\n"}), ["a.sh:1"])
        self.assertEqual(found(rule, {"a.sh": "cd '/workspace/x'\n"}), ["a.sh:1"])
        self.assertEqual(found(rule, {"a.py": "x = 'https://registry.example.org/'\n"}), ["a.py:1"])
        self.assertEqual(found(rule, {"a.sh": 'cd "$state/work/main"; ls build/work/ /workers/x\n'}), [])

    def test_long_files_are_named(self):
        rule = rules.files_have_one_concept
        self.assertEqual(found(rule, {"a.cc": "x\n" * 400}), [])
        self.assertEqual(found(rule, {"a.cc": "x\n" * 401, "b.json": "x\n" * 900}), ["a.cc:401"])

    def test_a_header_opens_with_what_it_is(self):
        rule = rules.headers_open_with_what_they_are
        self.assertEqual(found(rule, {"a.h": "// What it is.\n#pragma once\n"}), [])
        self.assertEqual(found(rule, {"a.h": "#pragma once\n"}), ["a.h:1"])
        self.assertEqual(found(rule, {"a.h": "// What it is.\n"}), ["a.h:1"])

    def test_a_folder_explains_itself(self):
        rule = rules.folders_explain_themselves
        words = "What this folder is, what it may depend on, and where to start reading."
        self.assertEqual(found(rule, {"core/plan/a.cc": ""}), ["core/plan/README.md:1"])
        self.assertEqual(found(rule, {"core/plan/a.cc": "", "core/plan/README.md": "short"}), ["core/plan/README.md:1"])
        self.assertEqual(found(rule, {"core/plan/a.cc": "", "core/plan/README.md": words}), [])
        self.assertEqual(found(rule, {"core/CMakeLists.txt": ""}), [])

    def test_a_link_leads_somewhere(self):
        rule = rules.links_lead_somewhere
        files = {"docs/a.md": "[b](b.md) [up](../core) [far](https://example.org)\n[gone](c.md#x)\n",
                 "docs/b.md": "", "core/plan/x.cc": ""}
        self.assertEqual(found(rule, files), ["docs/a.md:2"])


if __name__ == "__main__":
    unittest.main()
