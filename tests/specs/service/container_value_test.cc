#include "specs/service/container_value.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("images") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  for (const auto& good :
       List{"nginx", "nginx:1.27", "library/nginx", "ghcr.io/opensvc/pause", "ghcr.io/opensvc/pause:3.9", "localhost/x",
            "localhost:5000/x/y:z", "10.0.3.1:5000/x", "a__b", "a--b", "a.b_c-d", "x:_y", "nginx@" + digest,
            "nginx:1@" + digest, digest, "plumb/pause"})
    CHECK_MESSAGE(plumb::parse_image(good).has_value(), good);
  for (const auto& bad : List{"",
                              "Nginx",
                              "nginx latest",
                              "nginx:",
                              "nginx:-x",
                              "nginx:a/b",
                              "/nginx",
                              "nginx/",
                              "a//b",
                              "-a",
                              "a-",
                              "a..b",
                              "a___b",
                              "a._b",
                              ":x",
                              "@x",
                              "nginx@sha256:12",
                              "https://nginx",
                              "host:99999/x",
                              "host:x/y",
                              "ho st.x/y",
                              "nginx:" + std::string(129, 'x'),
                              std::string(256, 'a')})
    CHECK_MESSAGE(!plumb::parse_image(bad).has_value(), bad);
}

TEST_CASE("container names") {
  for (const auto* good : {"vm1", "svc1.container.0", "a_", "0-"}) CHECK(plumb::parse_container_name(good).has_value());
  for (const auto* bad : {"", "a", "_a", ".a", "a b", "a/b", "a:b"})
    CHECK_FALSE(plumb::parse_container_name(bad).has_value());
}

TEST_CASE("paths") {
  CHECK(plumb::parse_path("/").has_value());
  CHECK(plumb::parse_path("/srv/a b").has_value());
  CHECK_FALSE(plumb::parse_path("srv").has_value());
  CHECK_FALSE(plumb::parse_path("").has_value());
  CHECK_FALSE(plumb::parse_path("/" + std::string(4096, 'a')).has_value());
}

TEST_CASE("volume mounts") {
  const auto plain = plumb::parse_volume_mount("/srv/html:/usr/share/html").value();
  CHECK(plain.source == "/srv/html");
  CHECK(plain.target == "/usr/share/html");
  CHECK_FALSE(plain.read_only);
  CHECK(plain.options.empty());
  const auto read_only = plumb::parse_volume_mount("data:/data:ro,z").value();
  CHECK(read_only.source == "data");
  CHECK(read_only.read_only);
  CHECK(read_only.options == "ro,z");
  CHECK_FALSE(plumb::parse_volume_mount("/a:/b:rw").value().read_only);
  for (const auto* bad : {"", "/a", "/a:", ":/b", "/a:b", "a/b:/c", "/a:/", "/a://", "/a:/b:", "/a:/b:x", "/a:/b:ro,rw",
                          "/a:/b:ro:z", "./a:/b"})
    CHECK_MESSAGE(!plumb::parse_volume_mount(bad).has_value(), bad);
}

TEST_CASE("device mappings") {
  for (const auto* good : {"/dev/fuse", "/dev/fuse:/dev/fuse", "/dev/fuse:/dev/x:rwm", "/dev/fuse:r"})
    CHECK_MESSAGE(plumb::parse_device_mapping(good).has_value(), good);
  for (const auto* bad :
       {"", "fuse", "/dev/fuse:x", "/dev/fuse:", "/dev/fuse:/dev/x:", "/dev/fuse:/dev/x:rx", "/a:/b:r:w", "/a:r:/b"})
    CHECK_MESSAGE(!plumb::parse_device_mapping(bad).has_value(), bad);
}
