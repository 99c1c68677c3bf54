// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/secret.hpp>

#include "support.hpp"

#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>

using namespace wire_test;

TEST_CASE("a secret is saved for its owner alone and comes back") {
  temporary_folder folder;
  std::string path = folder / "secret";
  secret made = secret::make();
  made.save(path);
  struct stat facts{};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  secret loaded = secret::load(path);
  CHECK(same(made.bytes(), loaded.bytes()));
  CHECK(loaded.source() == path);
  CHECK(loaded.fingerprint() == made.fingerprint());
  CHECK(made.fingerprint().size() == 16);
  CHECK(secret::make().fingerprint() != made.fingerprint());
  CHECK_THROWS_WITH(made.save(path), Catch::Contains(path));
  CHECK(same(made.bytes(), secret::load(path).bytes()));
}

TEST_CASE("a secret file that cannot be trusted is refused") {
  temporary_folder folder;
  std::string path = folder / "secret";
  CHECK_THROWS_WITH(secret::load(path), Catch::Contains(path));
  secret::make().save(path);
  for (int mode : {0640, 0604, 0660, 0601}) {
    ::chmod(path.c_str(), static_cast<mode_t>(mode));
    CHECK_THROWS_WITH(secret::load(path), Catch::Contains("chmod 600"));
  }
  ::chmod(path.c_str(), 0600);
  for (std::string content : {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
                              std::string(64, 'a') + "\n\n", std::string(64, 'A')}) {
    std::ofstream(path) << content;
    CHECK_THROWS_WITH(secret::load(path), Catch::Contains("64 hexadecimal"));
  }
  CHECK_THROWS_AS(secret::load(folder.path()), config_error);
}

TEST_CASE("a secret is read from a pipe that stays open, and no more than it") {
  temporary_folder folder;
  std::string path = folder / "secret";
  secret made = secret::make();
  made.save(path);
  std::string digits(64, ' ');
  std::ifstream(path).read(digits.data(), 64);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  auto say = [&](const std::string& text) {
    CHECK(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  say(digits + "\nrest");
  CHECK(same(secret::read(ends[0], "input").bytes(), made.bytes()));
  char rest[5] = {};
  CHECK(::read(ends[0], rest, 4) == 4);
  CHECK(rest == std::string("rest"));
  say(digits);
  say("0");
  CHECK_THROWS_WITH(secret::read(ends[0], "input"), Catch::Contains("input") && Catch::Contains("64 hexadecimal"));
  say(digits.substr(1) + "\n");
  CHECK_THROWS_WITH(secret::read(ends[0], "input"), Catch::Contains("64 hexadecimal"));
  say(digits);
  ::close(ends[1]);
  CHECK(same(secret::read(ends[0], "input").bytes(), made.bytes()));
  CHECK_THROWS_WITH(secret::read(ends[0], "input"), Catch::Contains("64 hexadecimal"));
  ::close(ends[0]);
  CHECK_THROWS_WITH(secret::read(ends[0], "input"), Catch::Contains("input"));
}
