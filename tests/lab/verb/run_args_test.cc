// The flags of run_args, as the real engine understood them.
#include <doctest/doctest.h>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const char* const kSpec = R"(
[container#0]
image = busybox
hostname = web1
command = sh -c 'cat /etc/hosts; env; exec sleep 1000'
rm = true
run_args = -e GREETING='good day' -v /etc/hostname:/name:ro --mount type=bind,source=/etc,target=/host,readonly
    --tmpfs /scratch:size=1m --add-host db:10.0.3.4 -l com.example.a=b --cap-drop=ALL --cap-add NET_BIND_SERVICE
    --memory 64m --memory-swap 64m --cpus 0.5 -c 512 --pids-limit 50 --ulimit nofile=512:1024 --shm-size 2m
    --security-opt no-new-privileges --group-add 4 --stop-signal SIGKILL --oom-score-adj 100 --log-driver json-file
    --log-opt max-size=1m --health-cmd 'test -d /host' --health-interval 30s --health-retries 2 -it --read-only --init
    --restart=no --runtime runc -u 0:0 -w /scratch --sysctl net.ipv4.ip_unprivileged_port_start=80
)";

TEST_CASE("a container with flags of docker run: the engine has what they ask for") {
  const Node n1("n1");
  const Service svc("flags", kSpec);
  const Outcome start = svc.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  const auto inspected = [&](const std::string& what) {
    std::string out = n1.must({"docker", "inspect", "--format", "{{json ." + what + "}}", "flags.container.0"});
    while (out.ends_with('\n')) out.pop_back();
    return out;
  };
  const auto host = [&](const std::string& what) { return inspected("HostConfig." + what); };
  CHECK(host("Binds") == R"(["/etc/hostname:/name:ro"])");
  CHECK(host("Mounts") == R"([{"Type":"bind","Source":"/etc","Target":"/host","ReadOnly":true}])");
  CHECK(host("Tmpfs") == R"({"/scratch":"size=1m"})");
  CHECK(host("ExtraHosts") == R"(["db:10.0.3.4"])");
  CHECK(host("CapAdd").find("NET_BIND_SERVICE") != std::string::npos);
  CHECK(host("CapDrop") == R"(["ALL"])");
  CHECK(host("Memory") == "67108864");
  CHECK(host("NanoCpus") == "500000000");
  CHECK(host("CpuShares") == "512");
  CHECK(host("PidsLimit") == "50");
  CHECK(host("ShmSize") == "2097152");
  CHECK(host("Ulimits") == R"([{"Name":"nofile","Hard":1024,"Soft":512}])");
  CHECK(host("SecurityOpt") == R"(["no-new-privileges"])");
  CHECK(host("GroupAdd") == R"(["4"])");
  CHECK(host("OomScoreAdj") == "100");
  CHECK(host("LogConfig") == R"({"Type":"json-file","Config":{"max-size":"1m"}})");
  CHECK(host("ReadonlyRootfs") == "true");
  CHECK(host("Init") == "true");
  CHECK(inspected("Config.StopSignal") == R"("SIGKILL")");
  CHECK(inspected("Config.Healthcheck") ==
        R"({"Test":["CMD-SHELL","test -d /host"],"Interval":30000000000,"Retries":2})");
  CHECK(inspected("Config.Labels").find(R"("com.example.a":"b")") != std::string::npos);
  CHECK(inspected("Config.Tty") == "true");
  CHECK(inspected("Config.WorkingDir") == R"("/scratch")");
  // What a process itself sees. The limits are those of the first one: runc's exec sets now and then another (runc
  // issue 4195).
  const std::string seen =
      n1.must({"docker", "exec", "flags.container.0", "sh", "-c",
               "grep '^Max open files' /proc/1/limits | tr -s ' '; echo $GREETING; cat /proc/self/oom_score_adj"});
  CHECK(seen == "Max open files 512 1024 files \ngood day\n100\n");
  CHECK(svc.plumb(n1, "start").out.find("is up already") != std::string::npos);
  CHECK(svc.plumb(n1, "stop").exit_code == 0);
}

TEST_CASE("a mount of which the source is missing fails the start, and no directory is made for it") {
  const Node n1("n1");
  const Service svc("flags",
                    "[container#0]\nimage = busybox\nrun_args = --mount type=bind,source=/srv/missing,target=/x\n");
  const State before = svc.state(n1);
  const Outcome start = svc.plumb(n1, "start");
  CHECK(start.exit_code == 1);
  CHECK_MESSAGE(start.err.find("/srv/missing") != std::string::npos, start.err);
  CHECK(n1.run({"test", "-e", "/srv/missing"}).exit_code == 1);
  CHECK(difference(before, svc.state(n1)) == "");
}

}  // namespace
}  // namespace plumb::lab
