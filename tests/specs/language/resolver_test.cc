// Scopes and references, seen through the loader.
#include <doctest/doctest.h>

#include <string>

#include "specs/service/loader.h"

namespace {

plumb::Loaded load(const std::string& text, const std::string& node = "n1", const std::string& name_space = "root") {
  plumb::LoadOptions options;
  options.file = "test.conf";
  options.service = "svc1";
  options.node = node;
  options.name_space = name_space;
  options.cluster = "paris";
  return plumb::load_service(text, options);
}

// The first name of the first address of a spec that must load.
std::string name_on(const std::string& text, const std::string& node) {
  const auto loaded = load(text, node);
  REQUIRE_MESSAGE(loaded.service.has_value(), plumb::render(loaded.diagnostics, false));
  return loaded.service->ips.at(0).names.at(0).to_string();
}

// The hostname of a container for which `value` was written.
std::string resolved(const std::string& value, const std::string& more = "", const std::string& name_space = "root") {
  const auto loaded = load("[container#0]\nimage = nginx\nname = web\nenvironment = X=" + value + "\n" + more,
                           "N1.example.com", name_space);
  REQUIRE_MESSAGE(loaded.service.has_value(), plumb::render(loaded.diagnostics, false));
  return loaded.service->containers.at(0).environment.at("X");
}

std::string first_error(const std::string& value, const std::string& more = "") {
  const auto loaded = load("[container#0]\nimage = nginx\nenvironment = X=" + value + "\n" + more);
  REQUIRE_FALSE(loaded.diagnostics.empty());
  return loaded.diagnostics[0].message;
}

}  // namespace

TEST_CASE("the most precise scope wins") {
  const std::string text =
      "[DEFAULT]\nnodes = n1 n2\ndrpnodes = n3\nencapnodes = vm1\n"
      "[ip#0]\nipname = plain\nipname@nodes = of-nodes\nipname@drpnodes = of-drp\nipname@encapnodes = of-encap\n"
      "ipname@n2 = of-n2\nipdev = eth0\n";
  CHECK(name_on(text, "n1") == "of-nodes");
  CHECK(name_on(text, "n2") == "of-n2");
  CHECK(name_on(text, "N2") == "of-n2");
  CHECK(name_on(text, "n3") == "of-drp");
  CHECK(name_on(text, "vm1") == "of-encap");
  CHECK(name_on(text, "elsewhere") == "plain");
}

TEST_CASE("without a nodes keyword the service's nodes are the one it is loaded for") {
  const std::string text = "[ip#0]\nipname@nodes = here\nipname@drpnodes = there\nipdev = eth0\n";
  CHECK(name_on(text, "any") == "here");
  CHECK(load(text, "any").service->nodes == std::vector<std::string>{"any"});
  CHECK(name_on("[DEFAULT]\ndrpnodes = n3\n" + text, "n3") == "here");
}

TEST_CASE("scopes work with both spellings, and an empty value unsets") {
  const std::string text = "[ip#0]\nname@n1 = a\nipname = b\ndev = eth0\ngateway = 10.0.3.1\ngateway@n2 =\n";
  CHECK(name_on(text, "n1") == "a");
  CHECK(name_on(text, "n2") == "b");
  CHECK(load(text, "n1").service->ips[0].gateway.has_value());
  CHECK_FALSE(load(text, "n2").service->ips[0].gateway.has_value());
}

TEST_CASE("a resource inherits its keywords from DEFAULT, and its own setting wins") {
  const auto loaded = load(
      "[DEFAULT]\nipdev = eth1\noptional = true\nipdev@n2 = eth2\n[ip#0]\nipname = a\n[ip#1]\nipname = b\nipdev = "
      "eth0\noptional = false\n");
  REQUIRE(loaded.service.has_value());
  CHECK(loaded.service->ips[0].ipdev == "eth1");
  CHECK(loaded.service->ips[0].optional);
  CHECK(loaded.service->ips[1].ipdev == "eth0");
  CHECK_FALSE(loaded.service->ips[1].optional);
}

TEST_CASE("the service's own timeouts are not its containers'") {
  const auto loaded = load("[DEFAULT]\nstart_timeout = 5m\n[container#0]\nimage = nginx\n");
  REQUIRE(loaded.service.has_value());
  CHECK(loaded.service->start_timeout == std::chrono::minutes(5));
  CHECK(loaded.service->containers[0].start_timeout == std::chrono::seconds(10));
}

TEST_CASE("references") {
  CHECK(resolved("{nodename}") == "n1.example.com");
  CHECK(resolved("{short_nodename}") == "n1");
  CHECK(resolved("{svcname}") == "svc1");
  CHECK(resolved("{namespace}/{clustername}") == "root/paris");
  CHECK(resolved("{fqdn}") == "svc1.root.svc.paris");
  CHECK(resolved("{domain}") == "root.svc.paris");
  CHECK(resolved("{svcpath}") == "svc1");
  CHECK(resolved("{svcpath}", "", "shop") == "shop/svc/svc1");
  CHECK(resolved("{rid}-{rindex}") == "container#0-0");
  CHECK(resolved("{name}") == "svc1");  // as in OpenSVC, also where the section has a name of its own
  CHECK(resolved("{container#0.name}") == "web");
  CHECK(resolved("{container#1.name}", "[container#1]\nimage = x\n") == "svc1.container.1");
  CHECK(resolved("{container#1.rm}", "[container#1]\nimage = x\n") == "false");
  CHECK(resolved("{container#1.run_image}", "[container#1]\nimage = x\n") == "x");
  CHECK(resolved("{env.a}", "[env]\na = {env.b}{env.b}\nb = 1\n") == "11");
  CHECK(resolved("{env.a}", "[env]\na = 1\na@nodes = 2\n") == "2");
  CHECK(resolved("{upper:env.a}{lower:env.a}", "[env]\na = aB\n") == "ABab");
  CHECK(resolved("{#env.a}{env.a[1]}", "[env]\na = x y z\n") == "3y");
  CHECK(resolved("{DEFAULT.topology}", "[DEFAULT]\n") == "failover");
}

TEST_CASE("braces that are no references are text") {
  for (const auto* text : {"${HOME}", "{}", "{.Name}", "{{.Name}}", "a{b", "a}b", "{1}", "{a$b}", "{a,b}"}) {
    CAPTURE(text);
    CHECK(resolved(text) == text);
  }
}

TEST_CASE("references at fault") {
  CHECK(first_error("{env.a}") == "reference {env.a}: there is no section [env]");
  CHECK(first_error("{env.a}", "[env]\nb = 1\n") == "reference {env.a}: [env] has no \"a\" on node \"n1\"");
  CHECK(first_error("{nothing}") == "reference {nothing}: no such name");
  CHECK(first_error("{environment}") == "the references of \"environment\" in [container#0] lead back to itself");
  CHECK(first_error("{env.a[1]}", "[env]\na = x\n") == "reference {env.a[1]}: there are only 1 words, counted from 0");
  CHECK(first_error("{env.a[}", "[env]\na = x\n") == "reference {env.a[}: the index is not a number in brackets");
  CHECK(first_error("{env.a[99999999999999999999]}", "[env]\na = x\n") ==
        "reference {env.a[99999999999999999999]}: the index is not a number in brackets");
  CHECK(first_error("{#env.a}", "[env]\na = 'x\n") == "reference {#env.a}: its value has a quote without a partner");
  CHECK(first_error("{env.}", "[env]\na = x\n") == "reference {env.}: [env] has no \"\" on node \"n1\"");
}

TEST_CASE("a chain of references is bounded") {
  const auto chain = [](int length) {
    std::string text = "[env]\n";
    for (int i = 0; i < length; ++i) text += "k" + std::to_string(i) + " = {env.k" + std::to_string(i + 1) + "}\n";
    return text + "k" + std::to_string(length) + " = end\n";
  };
  CHECK(resolved("{env.k0}", chain(20)) == "end");
  CHECK(first_error("{env.k0}", chain(5000)) == "references nested more than 32 deep");
}

TEST_CASE("a fault in a referenced value is said once") {
  const auto loaded =
      load("[container#0]\nimage = nginx\ncommand = {env.a} {env.a}\nuser = {env.a}\n[env]\na = {nothing}\n");
  CHECK(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].where.line == 6);
}
