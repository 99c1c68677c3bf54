# SPDX-License-Identifier: Apache-2.0
"""Plants a fault for each check in a small tree and sees that the check finds it, and finds nothing in the tree without it."""
import copy
import pathlib
import sys
import tempfile
import unittest

import compile_fail
import headers_alone
import house
import includes
import kernels
import readme
import sizes
import text

HEAD = "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n"


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.write("include/corolith/core/a.hpp", HEAD + "inline int a() { return 1; }\n")
        self.write("include/corolith/wire/b.hpp", HEAD + "#include <corolith/core/a.hpp>\n#include <corolith/wire/impl/b.ipp>\n")
        self.write("include/corolith/wire/impl/b.ipp", HEAD + "#include <corolith/wire/b.hpp>\ninline int b() { return a(); }\n")
        self.write("include/corolith/impl/src.hpp", HEAD + "#include <corolith/wire/impl/b.ipp>\n")
        self.compiler = copy.copy(house.Compiler(sys.argv[1]))
        kept = [c for c in self.compiler.command]
        while "-I" in kept:
            del kept[kept.index("-I"):kept.index("-I") + 2]
        self.compiler.command = [*kept, "-I", str(self.root / "include")]

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def header(self, name, *included, body=""):
        self.write(f"include/corolith/{name}", HEAD + "".join(f"#include <corolith/{i}>\n" for i in included) + body)

    def includes_say(self, expected):
        self.assertRegex("\n".join(includes.problems_of(self.root)), expected)

    def test_nothing_is_found_where_nothing_is_wrong(self):
        self.assertEqual(includes.problems_of(self.root), [])
        self.assertEqual(sizes.problems_of(self.root), [])
        self.assertEqual(text.problems_of(self.root), [])
        self.assertEqual(headers_alone.problems_of(self.root, self.compiler), ([], 3))

    def test_up_a_floor(self):
        self.header("core/up.hpp", "wire/b.hpp")
        self.includes_say("core/up.hpp includes <corolith/wire/b.hpp>, which is on floor 2")

    def test_across_a_floor(self):
        self.header("coro/x.hpp")
        self.header("codec/y.hpp", "coro/x.hpp")
        self.includes_say("codec/y.hpp includes <corolith/coro/x.hpp>, which is on floor 1")

    def test_run_may_include_observe_and_not_back(self):
        self.header("observe/o.hpp")
        self.header("run/r.hpp", "observe/o.hpp")
        self.assertEqual(includes.problems_of(self.root), [])
        self.header("run/q.hpp")
        self.header("observe/p.hpp", "run/q.hpp")
        self.includes_say("observe/p.hpp includes <corolith/run/q.hpp>, which is on floor 4")

    def test_umbrella_from_below(self):
        self.header("corolith.hpp", "core/a.hpp")
        self.header("run/r.hpp", "corolith.hpp")
        self.includes_say("run/r.hpp includes <corolith/corolith.hpp>, which is an umbrella")

    def test_somebody_elses_detail(self):
        self.header("core/detail/d.hpp")
        self.header("coro/x.hpp", "core/detail/d.hpp")
        self.includes_say("which is private to core/")

    def test_somebody_elses_implementation(self):
        self.header("agent/x.hpp", "wire/impl/b.ipp")
        self.includes_say("agent/x.hpp includes <corolith/wire/impl/b.ipp>, which is for the header")

    def test_circle(self):
        self.header("coro/x.hpp", "coro/y.hpp")
        self.header("coro/y.hpp", "coro/x.hpp")
        self.includes_say("a circle: corolith/coro/x.hpp -> corolith/coro/y.hpp -> corolith/coro/x.hpp")

    def test_circle_through_an_implementation(self):
        self.header("wire/c.hpp", "wire/b.hpp")
        self.header("wire/impl/b.ipp", "wire/b.hpp", "wire/c.hpp")
        self.includes_say("a circle: ")

    def test_forgotten_source(self):
        self.header("wire/impl/c.ipp")
        self.includes_say("src.hpp includes <corolith/wire/impl/c.ipp> 0 times")

    def test_missing_file_quotes_and_unknown_folder(self):
        self.header("coro/x.hpp", "coro/nowhere.hpp", body='#include "y.hpp"\n')
        self.header("cellar/z.hpp")
        self.includes_say("nowhere.hpp>, which is not there")
        self.includes_say('includes "y.hpp"')
        self.includes_say("cellar/z.hpp: its folder stands on no floor")

    def test_large_header(self):
        self.header("coro/x.hpp", body="//" + "x" * 31000)
        self.assertRegex("\n".join(sizes.problems_of(self.root)), "coro/x.hpp has 31")

    def test_large_median(self):
        for i in range(9):
            self.header(f"coro/x{i}.hpp", body="//" + "x" * 5000)
        self.assertRegex("\n".join(sizes.problems_of(self.root)), "the median of 13 headers is 5")

    def test_text(self):
        for content, where in (("// TO" "DO: later\n", "x.hpp:3"), ("// see /ho" "me/me/x\n", "x.hpp:3"),
                               ("// in ../sha" "red\n", "x.hpp:3"), ("// na\u00efve\n", "outside ASCII")):
            self.header("coro/x.hpp", body=content)
            self.assertRegex("\n".join(text.problems_of(self.root)), where)
        self.write("include/corolith/coro/x.hpp", "int x;\n")
        self.assertRegex("\n".join(text.problems_of(self.root)), "licence line(.|\n)*no #pragma once")

    def test_header_that_needs_another(self):
        self.header("coro/x.hpp", body="inline int x() { return a(); }\n")
        problems, _ = headers_alone.problems_of(self.root, self.compiler)
        self.assertRegex("\n".join(problems), "coro/x.hpp does not compile alone")

    def test_header_whose_neighbours_include_what_it_needs(self):
        self.header("codec/m.hpp", "core/a.hpp", body="inline int m() { return a() + n(); }\n")
        self.header("codec/n.hpp", "core/a.hpp", body="inline int n() { return a(); }\n")
        self.header("wire/top.hpp", "codec/n.hpp", "codec/m.hpp")
        problems, _ = headers_alone.problems_of(self.root, self.compiler)
        self.assertRegex("\n".join(problems), "codec/m.hpp does not compile alone")

    def test_chains_of_headers(self):
        def chains(**headers):
            texts = {n: "".join(f"#include <corolith/{i}>\n" for i in included) for n, included in headers.items()}
            return headers_alone.chains({f"corolith/{n}": text for n, text in texts.items()})

        self.assertEqual(chains(a=[], b=["a"], c=["b"]), [["corolith/a", "corolith/b", "corolith/c"]])
        self.assertEqual(len(chains(a=[], b=["a"], c=["a"])), 2)
        self.assertEqual(len(chains(a=["b"], b=["a"])), 2)
        self.assertEqual(headers_alone.included_first("#pragma once\n#if X\n#include <corolith/x>\n#endif\nint i;\n"), [])
        self.assertEqual(headers_alone.included_first("int i;\n#include <corolith/x>\n"), None)

    def test_header_that_cannot_be_included_twice(self):
        self.write("include/corolith/coro/x.hpp", "inline int x() { return 1; }\n")
        problems, _ = headers_alone.problems_of(self.root, self.compiler)
        self.assertRegex("\n".join(problems), "redefinition")

    def test_changed_header_is_compiled_again(self):
        memory = self.root / "memory.json"
        self.assertEqual(headers_alone.problems_of(self.root, self.compiler, memory), ([], 3))
        self.assertEqual(headers_alone.problems_of(self.root, self.compiler, memory), ([], 0))
        self.header("core/a.hpp", body="inline int a() { return nothing; }\n")
        problems, checked = headers_alone.problems_of(self.root, self.compiler, memory)
        self.assertEqual((len(problems), checked), (3, 3))

    def test_kernels(self):
        good = "\navx2.cpp.o:\n0000 W int corolith::v0::simd::detail::f<corolith::v0::simd::detail::avx2>(int)\n" \
               "0000 V DW.ref.__gxx_personality_v0\n0000 t std::max<int>(int, int)\n0000 r .LC1\n"
        self.assertEqual(kernels.problems_of(good), [])
        self.assertRegex("\n".join(kernels.problems_of(good + "0000 W std::max<int>(int, int)\n")), "avx2: .* for all sets: std::max")
        self.assertRegex("\n".join(kernels.problems_of(good + "0000 u xsimd::f<xsimd::avx2>()::x\n")), "xsimd::f<xsimd::avx2>")
        other = good.replace("avx2.cpp.o", "avx512.cpp.o")
        self.assertRegex("\n".join(kernels.problems_of(other)), "avx512: .*detail::avx2")
        self.assertEqual(kernels.problems_of(""), ["there are no objects"])

    def test_compile_fail(self):
        def problems(source):
            return "\n".join(compile_fail.problems_of("f.cpp", source, self.compiler))

        self.assertEqual(problems('// expect: say \\w+\nstatic_assert(false, "say this");\n'), "")
        self.assertEqual(problems("// expect: compiles\nint main() {}\n"), "")
        self.assertRegex(problems('// expect: say that\nstatic_assert(false, "say this");\n'), "does not say")
        self.assertRegex(problems("// expect: anything\nint main() {}\n"), "compiles, and must not")
        self.assertRegex(problems("// expect: compiles\nint main() { return x; }\n"), "must compile")
        self.assertRegex(problems("int main() {}\n"), "first line")

    def test_readme(self):
        self.write("README.md", "# x\n```cpp\n#include <corolith/core/a.hpp>\nint main() { return a(); }\n```\n")
        self.assertEqual(readme.problems_of(self.root, self.compiler), [])
        self.write("docs/d.md", "```cpp\nint part();\n```\n```cpp\nint main() { return no; }\n```\n")
        self.assertRegex("\n".join(readme.problems_of(self.root, self.compiler)), "docs/d.md:4: this program does not compile")
        self.write("README.md", "# x\n```cpp\nint part();\n```\n")
        self.assertRegex("\n".join(readme.problems_of(self.root, self.compiler)), "no complete program")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=0)
