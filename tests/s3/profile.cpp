// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/profile.hpp>

#include <support/scratch.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace corolith::s3;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using corolith::config_error;
using corolith::error;
using s3_test::environment;
using s3_test::write_file;

namespace {

std::string value_in(const std::vector<detail::ini_section>& sections, const std::string& title,
                     const std::string& name) {
  const detail::ini_section* section = detail::find_section(sections, title);
  if (section == nullptr) return "(no section)";
  const auto found = section->settings.find(name);
  return found == section->settings.end() ? "(no setting)" : found->second.value;
}

}  // namespace

TEST_CASE("AWS's files are read as its tools read them") {
  const auto sections = detail::parse_ini(
      "\xef\xbb\xbf# of the user\r\n"
      "[default]\r\n"
      "region=eu-west-1\r\n"
      "\n"
      "[ profile\t \"my name\" ]  # quoted\n"
      "Output = json ; a comment\n"
      "key = a#b;c  # and a comment\n"
      "s3 =\n"
      "  addressing_style = path\n"
      "  max_queue_size=9\n"
      "  # within\n"
      "endpoint_url = http://h:1\n"
      "long = one\n"
      "    two\n"
      "empty =\n"
      "[default]\n"
      "output = text\n"
      "[indented]\n"
      "  a = 1\n"
      "  b = 2\n",
      "config");
  REQUIRE(sections.size() == 3);
  REQUIRE(value_in(sections, "default", "region") == "eu-west-1");
  REQUIRE(value_in(sections, "default", "output") == "text");
  REQUIRE(value_in(sections, "profile my name", "output") == "json");
  REQUIRE(value_in(sections, "profile my name", "key") == "a#b;c");
  REQUIRE(value_in(sections, "profile my name", "s3.addressing_style") == "path");
  REQUIRE(value_in(sections, "profile my name", "s3.max_queue_size") == "9");
  REQUIRE(value_in(sections, "profile my name", "endpoint_url") == "http://h:1");
  REQUIRE(value_in(sections, "profile my name", "long") == "one\ntwo");
  REQUIRE(value_in(sections, "profile my name", "empty").empty());
  REQUIRE(value_in(sections, "indented", "a") == "1");
  REQUIRE(value_in(sections, "indented", "b") == "2");
  REQUIRE(detail::find_section(sections, "default")->settings.at("output").source == "config:17");
  REQUIRE(detail::parse_ini("", "config").empty());
  REQUIRE(detail::parse_ini("\n # only\n;\n", "config").empty());
}

TEST_CASE("what cannot be read is refused with file and line, and shows no secret") {
  const auto says = [](const std::string& text, const std::string& where, const std::string& why) {
    CAPTURE(text);
    REQUIRE_THROWS_AS(detail::parse_ini(text, "/f"), config_error);
    REQUIRE_THROWS_WITH(detail::parse_ini(text, "/f"), StartsWith(where) && Contains(why) && !Contains("hunter2"));
  };
  says("a = hunter2\n", "/f:1: ", "[section]");
  says("[a]\n\naws_secret_access_key hunter2\n", "/f:3: ", "name = value");
  says("[a]\n = hunter2\n", "/f:2: ", "name of a setting");
  says("[a\n", "/f:1: ", "]");
  says("[a] hunter2\n", "/f:1: ", "comment");
  says("[]\n", "/f:1: ", "must have a name");
  says("[  ]\n", "/f:1: ", "must have a name");
  says("[profile \"\"]\n", "/f:1: ", "must have a name");
  says("[a]\nb = c\n  [d]\n", "/f:3: ", "beginning of its line");
  says("[a]\ns3 =\n  hunter2\n", "/f:3: ", "name = value");
  says(std::string("[a]\nb = hunter2\0\n", 16), "/f:2: ", "control characters");
  says("[a]\nb = hunter2\x1b[0m\n", "/f:2: ", "control characters");
}

TEST_CASE("a profile is made of both files, and the credentials file wins") {
  const test_support::scratch folder;
  environment of_test;
  const profile_location where{"work", folder / "config", folder / "credentials"};
  REQUIRE_FALSE(profile::load(where));
  write_file(where.config_file,
             "[profile work]\nregion = eu-west-1\naws_access_key_id = of-config\nservices = here\n"
             "endpoint_url = http://all\n[services here]\ns3 =\n  endpoint_url = http://s3\n[default]\nregion = x\n");
  auto read = profile::load(where);
  REQUIRE(read);
  REQUIRE(read->name() == "work");
  REQUIRE(read->value("aws_access_key_id") == "of-config");
  REQUIRE(read->endpoint_url() == "http://s3");
  REQUIRE(read->find("nothing") == nullptr);
  write_file(where.credentials_file, "[work]\naws_access_key_id = of-credentials\n[other]\nregion = y\n");
  read = profile::load(where);
  REQUIRE(read->value("aws_access_key_id") == "of-credentials");
  REQUIRE(read->find("aws_access_key_id")->source == where.credentials_file + ":2");
  REQUIRE(read->value("region") == "eu-west-1");
  profile_location other = where;
  other.name = "other";
  REQUIRE(profile::load(other)->value("region") == "y");
  other.name = "";  // "default"
  REQUIRE(profile::load(other)->value("region") == "x");
  write_file(where.config_file, "[default]\nregion = x\n[profile default]\nregion = z\n");
  REQUIRE(profile::load(other)->value("region") == "z");
}

TEST_CASE("files that cannot be read are an error, those that are not there are none") {
  const test_support::scratch folder;
  environment of_test;
  const profile_location where{"work", folder / "no/such/config", folder.path()};
  REQUIRE_THROWS_WITH(profile::load(where), StartsWith(folder.path() + ": "));
  const profile_location large{"work", folder / "config", folder / "credentials"};
  write_file(large.config_file, std::string((1 << 20) + 1, '\n'));
  REQUIRE_THROWS_WITH(profile::load(large), Contains("1 MiB"));
}

TEST_CASE("where the files are follows the variables of AWS's tools") {
  environment of_test;
  of_test.set("HOME", "/of/me");
  profile_location at = profile_location{}.resolved();
  REQUIRE(at.name == "default");
  REQUIRE(at.config_file == "/of/me/.aws/config");
  REQUIRE(at.credentials_file == "/of/me/.aws/credentials");
  of_test.set("AWS_PROFILE", "work");
  of_test.set("AWS_CONFIG_FILE", "~/my/config");
  of_test.set("AWS_SHARED_CREDENTIALS_FILE", "/etc/credentials");
  at = profile_location{}.resolved();
  REQUIRE(at.name == "work");
  REQUIRE(at.config_file == "/of/me/my/config");
  REQUIRE(at.credentials_file == "/etc/credentials");
  at = profile_location{"mine", "/a", "/b"}.resolved();
  REQUIRE(at.name == "mine");
  REQUIRE(at.config_file == "/a");
  REQUIRE(at.credentials_file == "/b");
  of_test.unset("HOME");
  of_test.unset("AWS_CONFIG_FILE");
  REQUIRE(profile_location{}.resolved().config_file.empty());
}

TEST_CASE("the surroundings say region and endpoint, variables before the profile") {
  const test_support::scratch folder;
  environment of_test;
  of_test.set("AWS_CONFIG_FILE", folder / "config");
  of_test.set("AWS_SHARED_CREDENTIALS_FILE", folder / "credentials");
  REQUIRE(surroundings::find().region.empty());
  write_file(folder / "config",
             "[default]\nregion = of-default\nendpoint_url = http://file\nca_bundle = /ca.pem\ns3 =\n  "
             "addressing_style = path\n"
             "[profile work]\nregion = of-work\n");
  surroundings found = surroundings::find();
  REQUIRE(found.region == "of-default");
  REQUIRE(found.endpoint_url == "http://file");
  REQUIRE(found.ca_file == "/ca.pem");
  REQUIRE(found.addressing_style == "path");
  REQUIRE(surroundings::find({"work", "", ""}).region == "of-work");
  of_test.set("AWS_DEFAULT_REGION", "of-second-variable");
  REQUIRE(surroundings::find().region == "of-second-variable");
  of_test.set("AWS_REGION", "of-first-variable");
  of_test.set("AWS_ENDPOINT_URL", "http://variable");
  found = surroundings::find();
  REQUIRE(found.region == "of-first-variable");
  REQUIRE(found.endpoint_url == "http://variable");
  of_test.set("AWS_ENDPOINT_URL_S3", "http://s3-variable");
  REQUIRE(surroundings::find().endpoint_url == "http://s3-variable");
  of_test.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  REQUIRE(surroundings::find().endpoint_url.empty());
  of_test.set("AWS_PROFILE", "nobody");
  REQUIRE_THROWS_WITH(surroundings::find(), Contains("no profile 'nobody'") && Contains(folder / "config"));
}
