// Image references, logins, base64.
#include "docker_client/registry.h"

#include <doctest/doctest.h>

#include "docker_client/base64.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

TEST_CASE("image references are split as the engine does") {
  struct Row {
    const char* text;
    const char* registry;
    const char* repository;
    const char* name;
    const char* tag;
  };
  for (const Row& row : {Row{"nginx", "docker.io", "library/nginx", "nginx", "latest"},
                         {"nginx:1.2-x_Y", "docker.io", "library/nginx", "nginx", "1.2-x_Y"},
                         {"opensvc/pause", "docker.io", "opensvc/pause", "opensvc/pause", "latest"},
                         {"ghcr.io/opensvc/pause", "ghcr.io", "opensvc/pause", "ghcr.io/opensvc/pause", "latest"},
                         {"localhost/x", "localhost", "x", "localhost/x", "latest"},
                         {"127.0.0.1:5000/a/b:1", "127.0.0.1:5000", "a/b", "127.0.0.1:5000/a/b", "1"},
                         {"docker.io/library/nginx", "docker.io", "library/nginx", "docker.io/library/nginx", "latest"},
                         {"index.docker.io/a/b", "docker.io", "a/b", "index.docker.io/a/b", "latest"}}) {
    CAPTURE(row.text);
    const ImageReference image = good(parse_reference(row.text));
    CHECK(image.registry == row.registry);
    CHECK(image.repository == row.repository);
    CHECK(image.name == row.name);
    CHECK(image.tag == row.tag);
    CHECK(image.digest.empty());
  }
  const std::string digest = "sha256:" + std::string(64, 'a');
  const ImageReference pinned = good(parse_reference("ghcr.io/a/b:1@" + digest));
  CHECK(pinned.digest == digest);
  CHECK(pinned.tag == "1");
  CHECK(good(parse_reference("a@" + digest)).tag.empty());
}

TEST_CASE("what is no image reference is refused") {
  for (const char* text : {"", ":1", "@sha256:x", "Nginx", "a//b", "a/", "/a", "a:", "a:.x", "a b", "a@sha256:12",
                           "a@b", "ghcr.io/", "a:b:c", "x?y"}) {
    CAPTURE(text);
    const auto image = parse_reference(text);
    CHECK_FALSE(image.has_value());
    if (!image) CHECK(image.error().kind == ErrorKind::spec);
  }
}

TEST_CASE("base64 goes both ways") {
  CHECK(base64url_encode("") == "");
  CHECK(base64url_encode("f") == "Zg==");
  CHECK(base64url_encode("fo") == "Zm8=");
  CHECK(base64url_encode("foo") == "Zm9v");
  CHECK(base64url_encode("\xfb\xff\xfe") == "-__-");
  CHECK(base64_decode("Zm9vYmE=") == "fooba");
  CHECK(base64_decode("Zm9vYg") == "foob");
  CHECK(base64_decode("+//+") == "\xfb\xff\xfe");
  CHECK_FALSE(base64_decode("Z").has_value());
  CHECK_FALSE(base64_decode("Zm9v Zm9v").has_value());
  CHECK_FALSE(base64_decode("-__-").has_value());
}

TEST_CASE("the login of a registry is found in a docker configuration") {
  const std::string text = R"({"auths":{
    "https://index.docker.io/v1/":{"auth":"aHViOnB3"},
    "ghcr.io":{"auth":"dXNlcjpwYTpzcw=="},
    "https://quay.io/v2/":{"identitytoken":"token"},
    "plain.io":{"username":"u","password":"p"},
    "empty.io":{}}})";
  const auto login = [&text](const char* registry) { return good(decode_credentials(text, registry, "config.json")); };
  CHECK(login("docker.io")->username == "hub");
  CHECK(login("ghcr.io")->username == "user");
  CHECK(login("ghcr.io")->password == "pa:ss");
  CHECK(login("ghcr.io")->server == "ghcr.io");
  CHECK(login("quay.io")->identity_token == "token");
  CHECK(login("plain.io")->password == "p");
  CHECK_FALSE(login("empty.io").has_value());
  CHECK_FALSE(login("absent.io").has_value());
}

TEST_CASE("a login that another program keeps is told, never ignored") {
  const auto error = [](const char* text, const char* registry) {
    const auto login = decode_credentials(text, registry, "config.json");
    if (login) FAIL("a login");
    return login.error();
  };
  CHECK(error(R"({"auths":{"ghcr.io":{}},"credsStore":"pass"})", "ghcr.io").kind == ErrorKind::unsupported);
  CHECK(error(R"({"credHelpers":{"ghcr.io":"gcloud"}})", "ghcr.io").what.find("docker-credential-gcloud") !=
        std::string::npos);
  CHECK_FALSE(good(decode_credentials(R"({"credHelpers":{"ghcr.io":"gcloud"}})", "docker.io", "x")).has_value());
  CHECK(good(decode_credentials(R"({"credsStore":"pass","auths":{"ghcr.io":{"auth":"dTpw"}}})", "ghcr.io", "x"))
            ->username == "u");
  CHECK(error("[]", "ghcr.io").kind == ErrorKind::spec);
  CHECK(error("", "ghcr.io").kind == ErrorKind::spec);
  CHECK(error(R"({"auths":{"ghcr.io":{"auth":"!!"}}})", "ghcr.io").kind == ErrorKind::spec);
  CHECK(error(R"({"auths":{"ghcr.io":{"auth":"dXNlcg=="}}})", "ghcr.io").kind == ErrorKind::spec);
}

TEST_CASE("a configuration file is read or its absence told") {
  const Scratch scratch;
  const std::string path = scratch.write("config.json", R"({"auths":{"ghcr.io":{"auth":"dTpw"}}})");
  CHECK(good(read_credentials(path, "ghcr.io"))->password == "p");
  const auto absent = read_credentials(path + ".absent", "ghcr.io");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().kind == ErrorKind::not_found);
  CHECK(read_credentials(scratch.path(), "ghcr.io").error().what.find("Is a directory") != std::string::npos);
  CHECK(read_credentials(scratch.write("big", std::string(2 << 20, ' ')), "ghcr.io").error().kind == ErrorKind::failed);
}

TEST_CASE("a login is sent as the engine reads it") {
  CHECK(encode_credentials({.username = "u", .password = "p", .identity_token = {}, .server = "ghcr.io"}) ==
        base64url_encode(R"({"password":"p","serveraddress":"ghcr.io","username":"u"})"));
  CHECK(encode_credentials({.username = {}, .password = {}, .identity_token = "t", .server = "s"}) ==
        base64url_encode(R"({"identitytoken":"t","serveraddress":"s"})"));
  CHECK_FALSE(encode_credentials({.username = "\xff", .password = "p", .identity_token = {}, .server = {}}).empty());
}
