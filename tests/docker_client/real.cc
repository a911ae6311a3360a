#include "tests/docker_client/real.h"

#include "docker_client/query.h"
#include "tests/docker_client/archive.h"

namespace plumb::test {

void import_busybox(docker::Client& client, const std::string& repository, const std::string& tag) {
  static const std::string kRoot = busybox_root();
  docker::Query query("/images/create");
  query.add("fromSrc", "-").add("repo", repository).add("tag", tag);
  const docker::Request request{
      .method = docker::Method::post, .path = std::move(query).str(), .what = "import image", .archive = kRoot};
  const docker::Response response = good(client.send(request, {std::chrono::seconds(60), {}}));
  if (response.body.find("errorDetail") != std::string::npos) FAIL(response.body);
}

}  // namespace plumb::test
