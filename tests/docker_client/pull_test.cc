// Pulls by a real engine from a real registry, and all the ways in which they fail.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "docker_client/image.h"
#include "docker_client/query.h"
#include "tests/docker_client/archive.h"
#include "tests/docker_client/engine.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/registry_server.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

const Call kCall{std::chrono::seconds(60), {}};

void remove_image(Client& client, const std::string& name) {
  const Request request{.method = Method::del, .path = "/images/" + percent_encode(name), .what = "remove image"};
  static_cast<void>(good(client.send(request, kCall)));
}

// Puts the image `repository`:1 of the engine into its registry and takes it out of the engine.
void push(Client& client, const std::string& repository, const Credentials& credentials) {
  Query query("/images/" + repository + "/push");
  query.add("tag", "1");
  const Request request{.method = Method::post,
                        .path = std::move(query).str(),
                        .what = "push image",
                        .headers = {"X-Registry-Auth: " + encode_credentials(credentials)}};
  const Response response = good(client.send(request, kCall));
  if (response.body.find("errorDetail") != std::string::npos) FAIL(response.body);
  remove_image(client, repository + ":1");
}

Error pull_error(Client& client, const std::string& reference,
                 const std::optional<Credentials>& credentials = std::nullopt, const OnProgress& on_progress = {},
                 const Call& call = kCall) {
  const Result<Image> image = pull_image(client, reference, credentials, on_progress, call);
  if (image) FAIL("pulled");
  CHECK_FALSE(good(inspect_image(client, reference, kCall)).has_value());
  MESSAGE(image.error().what << " | " << image.error().next);
  return image.error();
}

}  // namespace

TEST_CASE("an image is pulled with progress, and missing ones are told") {
  Engine engine;
  good(engine.start());
  RegistryServer registry(engine.netns(), 5000);
  good(registry.start());
  Client client = good(Client::open(engine.socket()));
  const std::string repository = registry.name() + "/opensvc/pause";
  import_busybox(client, repository, "1");
  const std::string id = good(inspect_image(client, repository + ":1", kCall))->id;
  push(client, repository, {"u", "p", "", ""});
  CHECK_FALSE(good(inspect_image(client, repository + ":1", kCall)).has_value());

  std::set<std::string> seen;
  std::int64_t most = 0;
  std::string last;
  const auto on_progress = [&](const PullProgress& line) {
    seen.insert(line.status);
    most = std::max(most, line.total);
    last = line.status;
  };
  CHECK(good(pull_image(client, repository + ":1", std::nullopt, on_progress, kCall)).id == id);
  // A layer's line gives way to its next one when the engine is busy (moby, distribution/xfer/transfer.go: a watcher
  // gets the last progress only), so not every pull shows every stage. Over some pulls each is seen.
  const std::set<std::string> stages = {"Pulling from opensvc/pause", "Pulling fs layer", "Downloading",
                                        "Download complete",          "Extracting",       "Pull complete"};
  for (int again = 0; again < 10 && !std::includes(seen.begin(), seen.end(), stages.begin(), stages.end()); ++again) {
    remove_image(client, repository + ":1");
    CHECK(good(pull_image(client, repository + ":1", std::nullopt, on_progress, kCall)).id == id);
  }
  for (const auto& status : stages) {
    CAPTURE(status);
    CHECK(seen.count(status) == 1);
  }
  CHECK(most > 100'000);
  CHECK(last == "Status: Downloaded newer image for " + repository + ":1");
  CHECK(good(pull_image(client, repository + ":1", std::nullopt, on_progress, kCall)).id == id);
  CHECK(last == "Status: Image is up to date for " + repository + ":1");

  CHECK(pull_error(client, repository + ":absent").kind == ErrorKind::not_found);
  CHECK(pull_error(client, repository).kind == ErrorKind::not_found);  // latest: never all tags
  CHECK(pull_error(client, registry.name() + "/nobody/nothing:1").kind == ErrorKind::not_found);
  CHECK(pull_error(client, "127.0.0.1:5999/nobody/nothing:1").kind == ErrorKind::unreachable);
  CHECK(pull_image(client, "Not A Name", std::nullopt, {}, kCall).error().kind == ErrorKind::spec);
}

TEST_CASE("a registry that asks for a login gets the right one or refuses") {
  Engine engine;
  good(engine.start());
  RegistryServer registry(engine.netns(), 5000, true);
  good(registry.start());
  Client client = good(Client::open(engine.socket()));
  const std::string repository = registry.name() + "/opensvc/pause";
  const Scratch scratch;
  const std::string path =  // base64 of plumb:secret
      scratch.write("config.json", R"({"auths":{")" + registry.name() + R"(":{"auth":"cGx1bWI6c2VjcmV0"}}})");
  const std::optional<Credentials> right = good(read_credentials(path, good(parse_reference(repository)).registry));
  REQUIRE(right.has_value());
  import_busybox(client, repository, "1");
  push(client, repository, *right);

  Error error = pull_error(client, repository + ":1");
  CHECK(error.kind == ErrorKind::permission);
  CHECK(error.next.find(registry.name()) != std::string::npos);
  Credentials wrong = *right;
  wrong.password = "guess";
  CHECK(pull_error(client, repository + ":1", wrong).kind == ErrorKind::permission);
  CHECK_FALSE(good(pull_image(client, repository + ":1", right, {}, kCall)).id.empty());
}

TEST_CASE("a transfer that breaks leaves no image and an error") {
  Engine engine;
  // One attempt: the engine waits between several.
  good(engine.start({"--max-download-attempts", "1"}));
  RegistryServer registry(engine.netns(), 5000);
  good(registry.start());
  Client client = good(Client::open(engine.socket()));
  const std::string repository = registry.name() + "/big";
  std::string noise(32U << 20U, '\0');
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  const std::string root = Archive().file("noise", noise).str();
  Query query("/images/create");
  query.add("fromSrc", "-").add("repo", repository).add("tag", "1");
  good(client.send({.method = Method::post, .path = std::move(query).str(), .what = "import image", .archive = root},
                   kCall));
  push(client, repository, {"u", "p", "", ""});

  SUBCASE("because the registry dies") {
    const auto on_progress = [&registry](const PullProgress& line) {
      if (line.status == "Pulling fs layer") registry.kill();
    };
    const Error error = pull_error(client, repository + ":1", std::nullopt, on_progress);
    CHECK(error.kind == ErrorKind::unreachable);
  }
  SUBCASE("because its blob was cut") {
    registry.truncate_blobs();
    const Error error = pull_error(client, repository + ":1");
    CHECK(error.what.starts_with("pull image " + repository + ":1 at unix://" + engine.socket() + ": "));
  }
  SUBCASE("because it is no longer wanted") {
    std::stop_source source;
    const auto on_progress = [&source](const PullProgress& line) {
      if (line.status == "Pulling fs layer") source.request_stop();
    };
    CHECK(pull_error(client, repository + ":1", std::nullopt, on_progress, {kCall.deadline, source.get_token()}).kind ==
          ErrorKind::cancelled);
    // The same client goes on, and the same pull succeeds.
    CHECK_FALSE(good(pull_image(client, repository + ":1", std::nullopt, {}, kCall)).id.empty());
  }
}
