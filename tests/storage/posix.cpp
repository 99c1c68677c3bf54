// SPDX-License-Identifier: Apache-2.0
// What is special about directories: paths, links, other writers, file systems without room.
#include "support.hpp"

#include <corolith/storage/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

using namespace storage_test;

TEST_CASE("keys that would leave the directory are refused", "[storage]") {
  const scratch folder;
  const store objects = store::open(folder / "store");
  write_file(folder / "outside", "secret");
  put(objects, "inside", "x");
  for (const char* key : {"../outside", "a/../../outside", "/etc/passwd", "/", ".", "..", "a/..", "a//b", "a/",
                          "./inside", "a/./b", ".corolith-unfinished-1", "a/.corolith-unfinished-1/b"}) {
    INFO(key);
    CHECK(code_of([&] { put(objects, key, "x"); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.get(key)); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.head(key)); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.remove(key)); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.copy("inside", key)); }) == errc::misuse);
    CHECK(code_of([&] { joined(objects.stream(key)); }) == errc::misuse);
  }
  CHECK(code_of([&] { put(objects, std::string(256, 'x'), "x"); }) == errc::misuse);
  CHECK(read_file(folder / "outside") == "secret");
  CHECK(keys(objects, "") == std::vector<std::string>{"inside"});
}

TEST_CASE("links that lead out of the directory are not followed", "[storage]") {
  const scratch folder;
  const store objects = store::open(folder / "store");
  put(objects, "inside/object", "inside");
  std::filesystem::create_directory(folder / "outside");
  write_file(folder / "outside/object", "outside");
  std::filesystem::create_symlink("../outside", folder / "store/relative");
  std::filesystem::create_symlink(folder / "outside", folder / "store/absolute");
  std::filesystem::create_symlink("../outside/object", folder / "store/file");
  for (const char* key : {"relative/object", "absolute/object"}) {
    INFO(key);
    CHECK(code_of([&] { sync_wait(objects.get(key)); }) == errc::access_denied);
    CHECK(code_of([&] { put(objects, key, "changed"); }) == errc::access_denied);
    CHECK(code_of([&] { sync_wait(objects.remove(key)); }) == errc::access_denied);
  }
  CHECK(code_of([&] { sync_wait(objects.get("file")); }) == errc::access_denied);
  CHECK(keys(objects, "") == std::vector<std::string>{"inside/object"});
  CHECK(keys(objects, "relative/").empty());
  put(objects, "file", "in its place");  // replaces the link, not what it leads to
  CHECK(read_file(folder / "outside/object") == "outside");

  std::filesystem::create_symlink("inside", folder / "store/link");
  CHECK(sync_wait(objects.get_text("link/object")) == "inside");
  std::filesystem::create_symlink("inside/object", folder / "store/other");
  CHECK(keys(objects, "o") == std::vector<std::string>{"other"});
  std::filesystem::create_symlink(".", folder / "store/loop");
  CHECK(keys(objects, "") == std::vector<std::string>{"file", "inside/object", "other"});
}

TEST_CASE("a key cannot be a folder of others, and says so", "[storage]") {
  const directory_to_try tried;
  const store& objects = tried.objects();
  put(objects, "a", "x");
  CHECK(code_of([&] { put(objects, "a/b", "x"); }) == errc::storage);
  put(objects, "c/d", "x");
  CHECK(code_of([&] { put(objects, "c", "x"); }) == errc::storage);
  CHECK(sync_wait(objects.get_text("a")) == "x");
  CHECK(code_of([&] { sync_wait(objects.get("a/b")); }) == errc::not_found);
  sync_wait(objects.remove("c/d"));
  put(objects, "c", "now it can");
  CHECK(sync_wait(objects.get_text("c")) == "now it can");
  tried.check_clean();
}

TEST_CASE("files that were there are objects", "[storage]") {
  const scratch folder;
  std::filesystem::create_directories(folder / "data/2026");
  write_file(folder / "data/2026/a.csv", "1,2\n");
  const store objects = store::open(folder.path());
  CHECK(keys(objects, "data/") == std::vector<std::string>{"data/2026/a.csv"});
  CHECK(sync_wait(objects.get_text("data/2026/a.csv")) == "1,2\n");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(code_of([&] { sync_wait(objects.get("pipe")); }) == errc::not_found);
  CHECK(keys(objects, "p").empty());
}

TEST_CASE("unfinished files of others are not listed", "[storage]") {
  const scratch folder;
  const store objects = store::open(folder.path());
  put(objects, "done", "x");
  write_file(folder / ".corolith-unfinished-0123", "half");
  CHECK(keys(objects, "") == std::vector<std::string>{"done"});
  CHECK(keys(objects, ".corolith").empty());
}

TEST_CASE("readers see the old content or the new, whole", "[storage]") {
  const directory_to_try tried;
  const store objects = tried.objects();
  const bytes a = noise(300'000, 1), b = noise(300'000, 2);
  sync_wait(objects.put("object", a));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) sync_wait(objects.put("object", i % 2 == 0 ? b : a));
    done = true;
  });
  int wrong = 0;
  while (!done) {
    const bytes seen = sync_wait(objects.get("object"));
    wrong += seen != a && seen != b;
  }
  writer.join();
  CHECK(wrong == 0);
  tried.check_clean();
}

TEST_CASE("of many that put only if there is none, one does", "[storage]") {
  const directory_to_try tried;
  const store objects = tried.objects();
  storage::put_options only_new;
  only_new.when.if_none_match = "*";
  std::atomic<int> made{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      try {
        sync_wait(objects.put("lock", std::to_string(i), only_new));
        ++made;
      } catch (const error& failure) {
        if (failure.code() == errc::precondition_failed) ++refused;
      }
    });
  for (std::thread& each : threads) each.join();
  CHECK(made == 1);
  CHECK(refused == 7);
  tried.check_clean();
}

TEST_CASE("a directory that is not there is made by the first put, and not before", "[storage]") {
  const scratch folder;
  const store objects = store::open(folder / "not/yet");
  CHECK(code_of([&] { sync_wait(objects.check()); }) == errc::not_found);
  CHECK(code_of([&] { sync_wait(objects.get("x")); }) == errc::not_found);
  CHECK(keys(objects, "").empty());
  sync_wait(objects.remove("x"));
  CHECK(!std::filesystem::exists(folder / "not"));
  put(objects, "x", "y");
  sync_wait(objects.check());
}

TEST_CASE("a file in the place of the directory, and one without rights, are clear errors", "[storage]") {
  const scratch folder;
  write_file(folder / "file", "");
  const store objects = store::open(folder / "file");
  CHECK(code_of([&] { put(objects, "x", "y"); }) != errc::not_found);
  CHECK(code_of([&] { sync_wait(objects.check()); }) == errc::storage);
  if (::geteuid() != 0) {
    std::filesystem::create_directory(folder / "closed");
    ::chmod((folder / "closed").c_str(), 0500);
    CHECK(code_of([&] { put(store::open(folder / "closed"), "x", "y"); }) == errc::access_denied);
  }
}

TEST_CASE("what a directory cannot do is refused", "[storage]") {
  const directory_to_try tried;
  const store& objects = tried.objects();
  put(objects, "x", "y");
  storage::put_options how;
  how.storage_class = "GLACIER";
  CHECK(code_of([&] { sync_wait(objects.put("x", "z", how)); }) == errc::storage);
  how = {};
  how.when.if_match = sync_wait(objects.head("x")).etag;
  CHECK(code_of([&] { sync_wait(objects.put("x", "z", how)); }) == errc::storage);
  storage::get_options version;
  version.version_id = "1";
  CHECK(code_of([&] { sync_wait(objects.get("x", version)); }) == errc::storage);
  CHECK(sync_wait(objects.get_text("x")) == "y");
}

TEST_CASE("what runs keep for themselves is for nobody else", "[storage]") {
  const scratch folder;
  const store objects = store::open(folder.path());
  const object_ref ref = sync_wait(objects.put_temporary("private"));
  struct stat found{};
  REQUIRE(::stat((folder / ".corolith").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  CHECK(keys(objects, "").empty());
  CHECK(keys(objects, "", "/").empty());
  CHECK(keys(objects, ".corolith/") == std::vector<std::string>{ref.key});
}

TEST_CASE("a put that waits for the disk", "[storage]") {
  const scratch folder;
  const store objects = store::open("posix://" + folder.path() + "?sync=yes");
  put(objects, "a/b", "safe");
  CHECK(sync_wait(objects.get_text("a/b")) == "safe");
}
