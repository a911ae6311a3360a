// What holds data is kept, and what is not plumb's stays untouched: on a real engine.
#include <doctest/doctest.h>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// An image that asks for a volume in /data, committed from a container of busybox.
class DataImage {
 public:
  explicit DataImage(const Node& node) : node_(node) {
    node.must({"docker", "create", "--name", "seed", "busybox"});
    node.must({"docker", "commit", "--change", "VOLUME /data", "seed", "data:1"});
    node.must({"docker", "tag", "data:1", "data:2"});
    node.must({"docker", "rm", "seed"});
  }
  ~DataImage() {
    node_.run({"bash", "-c", "docker volume ls -q | xargs -r docker volume rm"});
    node_.run({"docker", "rmi", "data:1", "data:2"});
  }
  DataImage(const DataImage&) = delete;
  DataImage& operator=(const DataImage&) = delete;

 private:
  const Node& node_;
};

std::string section(const std::string& id, const std::string& more) {
  return "[container#" + id + "]\nnetns = container#0\nrun_args = --stop-signal KILL\ncommand = sleep 100000\n" + more +
         "\n";
}

std::string spec(const std::string& sections) {
  return "[DEFAULT]\nnodes = n1 n2 n3\n[ip#1]\ntype = netns\nipname = 10.0.3.3\nipdev = eth0\nnetmask = 24\ngateway = "
         "10.0.3.1\nnetns = container#0\n[container#0]\ntype = docker\nrm = true\n" +
         sections;
}

std::string data_spec(const std::string& more = {}) { return spec(section("db", "image = data:1\n" + more)); }

void rewrite(const Node& node, const Service& service, const std::string& text) {
  node.write("/etc/plumb/" + service.name() + ".conf", text);
}

std::string id_of(const Node& node, const std::string& container) {
  return node.run({"docker", "inspect", "--format", "{{.Id}}", container}).out;
}

std::string data_in(const Node& node, const std::string& container) {
  return node.run({"docker", "exec", container, "cat", "/data/it"}).out;
}

void put_data(const Node& node, const std::string& container) {
  node.must({"docker", "exec", container, "sh", "-c", "echo treasure >/data/it"});
}

void well(const Service& service, const Node& node, const std::string& verb) {
  const Outcome outcome = service.plumb(node, verb);
  REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
}

TEST_CASE("a container that is made anew takes its volumes along, in start, heal and restart") {
  const Node n1("n1");
  const DataImage image(n1);
  const Service svc("svc", data_spec());
  well(svc, n1, "start");
  put_data(n1, "svc.container.db");

  // Its namespace's owner dies: a start makes both anew.
  std::string before = id_of(n1, "svc.container.db");
  n1.must({"docker", "kill", "svc.container.0"});
  REQUIRE(becomes(
      [&] {
        return n1.run({"docker", "inspect", "svc.container.0"}).exit_code != 0;
      },
      std::chrono::seconds(10)));
  const Outcome plan = svc.plumb(n1, "plan");
  CHECK_MESSAGE(has(plan.out, "create container svc.container.db from data:1, with what the one before has in /data"),
                plan.out, plan.err);
  const Outcome again = svc.plumb(n1, "start");
  REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  CHECK(id_of(n1, "svc.container.db") != before);
  CHECK(data_in(n1, "svc.container.db") == "treasure\n");

  // The file changes, to another image too: a restart makes it anew, twice.
  for (const char* edit : {"user = root\n", ""}) {
    rewrite(n1, svc, spec(section("db", std::string("image = data:2\n") + edit)));
    before = id_of(n1, "svc.container.db");
    const Outcome restart = svc.plumb(n1, "restart");
    REQUIRE_MESSAGE(restart.exit_code == 0, restart.err);
    CHECK(id_of(n1, "svc.container.db") != before);
    CHECK(data_in(n1, "svc.container.db") == "treasure\n");
  }
  // Another name.
  rewrite(n1, svc, data_spec("name = db\n"));
  const Outcome renamed = svc.plumb(n1, "restart");
  REQUIRE_MESSAGE(renamed.exit_code == 0, renamed.err);
  CHECK(data_in(n1, "db") == "treasure\n");
  CHECK(id_of(n1, "svc.container.db") == "\n");

  // A start that fails leaves it as it was.
  well(svc, n1, "stop");
  rewrite(n1, svc, data_spec("name = db\nuser = nobody-there\n"));
  CHECK(svc.plumb(n1, "start").exit_code != 0);
  rewrite(n1, svc, data_spec("name = db\n"));
  well(svc, n1, "start");
  CHECK(data_in(n1, "db") == "treasure\n");
}

TEST_CASE("with rm the volumes go, and plan says so, and a volume that has a name, or another container's, stays") {
  const Node n1("n1");
  const DataImage image(n1);
  const Service svc("svc", data_spec("rm = true\nvolume_mounts = named:/named\n"));
  n1.must({"docker", "run", "-d", "--name", "other", "data:1", "sleep", "100000"});
  well(svc, n1, "start");
  CHECK(n1.must({"bash", "-c", "docker volume ls -q | wc -l"}) == "3\n");
  const Outcome plan = svc.plumb(n1, "plan", {"stop"});
  CHECK_MESSAGE(has(plan.out, "remove container svc.container.db and its anonymous volumes"), plan.out, plan.err);
  well(svc, n1, "stop");
  CHECK(n1.must({"bash", "-c", "docker volume ls -q | wc -l"}) == "2\n");
  n1.must({"docker", "rm", "-fv", "other"});
  n1.must({"docker", "volume", "rm", "named"});
}

TEST_CASE("start only adds: what the file has no more runs on until restart, and is kept then") {
  const Node n1("n1");
  const DataImage image(n1);
  const Service svc("svc", spec(section("db", "image = data:1\n") + section("web", "image = busybox\n")));
  well(svc, n1, "start");
  put_data(n1, "svc.container.db");
  const std::string db = id_of(n1, "svc.container.db");
  const std::string web = id_of(n1, "svc.container.web");

  rewrite(n1, svc, spec(section("web", "image = busybox\nname = renamed\n")));
  const Outcome start = svc.plumb(n1, "start");
  CHECK(start.exit_code == 0);
  CHECK_MESSAGE(has(start.err, "container svc.container.db of this service runs, and the configuration has it no more"),
                start.err);
  CHECK_MESSAGE(has(start.err, "container#web: its configuration has changed since it was started"), start.err);
  CHECK(data_in(n1, "svc.container.db") == "treasure\n");
  CHECK(id_of(n1, "svc.container.db") == db);
  CHECK(id_of(n1, "svc.container.web") == web);
  CHECK(id_of(n1, "renamed") == "\n");
  CHECK(svc.plumb(n1, "status").exit_code == 0);

  const Outcome restart = svc.plumb(n1, "restart");
  REQUIRE_MESSAGE(restart.exit_code == 0, restart.err);
  CHECK(id_of(n1, "renamed") != "\n");
  CHECK(n1.must({"docker", "inspect", "--format", "{{.State.Status}}", "svc.container.db"}) == "exited\n");
  well(svc, n1, "stop");
  // It comes back with its section.
  rewrite(n1, svc, data_spec());
  well(svc, n1, "start");
  CHECK(data_in(n1, "svc.container.db") == "treasure\n");
}

TEST_CASE("siblings with rm = true come back with their pause: their engine's removal of them is waited for") {
  const Node n1("n1");
  const Service svc("svc",
                    spec(section("a", "image = busybox\nrm = true\n") + section("b", "image = busybox\nrm = true\n")));
  well(svc, n1, "start");
  for (int n = 0; n < 5; ++n) {
    const std::string before = id_of(n1, "svc.container.a");
    n1.must({"docker", "kill", "svc.container.0"});
    well(svc, n1, "start");
    CHECK(id_of(n1, "svc.container.a") != before);
    CHECK(svc.plumb(n1, "status").exit_code == 0);
  }
}

TEST_CASE("a rival on this very node is said to be one, and another node's is not") {
  const Node n1("n1");
  const Service svc("svc", spec(section("web", "image = busybox\n")));
  n1.must(
      {"bash", "-c",
       "docker run -d --name mine --network none busybox sleep 1000 && pid=$(docker inspect -f {{.State.Pid}} mine) && "
       "ip link add mine0 link eth0 type macvlan mode bridge && ip link set mine0 netns $pid && nsenter -t $pid -n "
       "bash -c 'ip address add 10.0.3.3/24 dev mine0; ip link set mine0 up'"});
  const Outcome own = svc.plumb(n1, "start");
  CHECK(own.exit_code == 5);
  CHECK_MESSAGE(has(own.err, "of this very node has it"), own.err);
  const Outcome other = svc.plumb(Node("n2"), "start");
  CHECK(other.exit_code == 5);
  CHECK_MESSAGE(has(other.err, "stop it there, or fence that node"), other.err);
  n1.must({"docker", "rm", "-fv", "mine"});
}

TEST_CASE("the containers of a service know their own host name, at the service's address") {
  const Node n1("n1");
  auto text = spec(section("web", "image = busybox\n"));
  text.erase(text.find("rm = true\n"), 10);
  const Service svc("my_svc", text);
  well(svc, n1, "start");
  CHECK(n1.must({"docker", "exec", "my_svc.container.web", "hostname"}) == "my-svc\n");
  const auto own_address = [&] { return n1.must({"docker", "exec", "my_svc.container.web", "hostname", "-i"}); };
  CHECK(own_address() == "10.0.3.3\n");
  // A kept pause has it as it was made: it is kept as long as that is true.
  const std::string pause = id_of(n1, "my_svc.container.0");
  well(svc, n1, "restart");
  CHECK(id_of(n1, "my_svc.container.0") == pause);
  well(svc, n1, "stop");
  text.replace(text.find("10.0.3.3"), 8, "10.0.3.5");
  rewrite(n1, svc, text);
  well(svc, n1, "start");
  CHECK(own_address() == "10.0.3.5\n");
}

TEST_CASE("a container of an image that was made from one of plumb's is not plumb's") {
  const Node n1("n1");
  const DataImage image(n1);
  const Service svc("svc", data_spec());
  well(svc, n1, "start");
  n1.must({"docker", "commit", "svc.container.db", "copy:1"});
  n1.must({"docker", "run", "-d", "--name", "mine", "copy:1", "sleep", "100000"});
  n1.must({"docker", "create", "--name", "mine.retired", "copy:1", "true"});
  const auto untouched = [&] {
    CHECK(n1.must({"docker", "inspect", "--format", "{{.State.Status}}", "mine"}) == "running\n");
    CHECK(n1.must({"docker", "inspect", "--format", "{{.State.Status}}", "mine.retired"}) == "created\n");
  };
  for (const char* verb : {"start", "restart", "stop", "start", "shutdown", "status"}) {
    const Outcome outcome = svc.plumb(n1, verb);
    CHECK_FALSE(has(outcome.out + outcome.err, "mine"));
    untouched();
  }
  // Also where it has the very name, and the service's own file makes its containers from that image.
  n1.must({"docker", "rm", "-v", "svc.container.db"});
  n1.must({"docker", "rename", "mine", "svc.container.db"});
  const Outcome taken = svc.plumb(n1, "start");
  CHECK_MESSAGE(has(taken.err, "the name is taken by a container that is not this service's"), taken.err);
  n1.must({"docker", "rename", "svc.container.db", "mine"});
  rewrite(n1, svc, spec(section("db", "image = copy:1\n")));
  well(svc, n1, "start");
  well(svc, n1, "stop");
  untouched();
  n1.must({"docker", "rm", "-fv", "mine", "mine.retired", "svc.container.db"});
  n1.must({"docker", "rmi", "copy:1"});
}

}  // namespace
}  // namespace plumb::lab
