#include "plugin/cluster/ocf.h"

namespace plumb {

// The document type is that of OCF 1.0, which tools validate with (ocf-tester); what 1.1 has more is declared here.
// Timeouts are advice: Pacemaker takes those of the resource's operations.
std::string ocf_metadata() {
  return std::string(R"(<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
<!ATTLIST parameter unique-group CDATA #IMPLIED reloadable (1|0) "0">
<!ATTLIST action name NMTOKEN #REQUIRED>
]>
<resource-agent name="service" version=")") +
         PLUMB_VERSION + R"(">
<version>1.1</version>
<longdesc lang="en">
Runs a service of plumb: containers that share one network namespace, with the ip addresses that are plumbed there, or
addresses on the node itself. Its configuration is a file that every node has, the same on each; plumb.conf(5) explains it.

A start asks the network before it claims an address. When somebody else answers for it, the start fails with
OCF_ERR_INSTALLED (5), and the reason has the MAC address of the rival: Pacemaker does not try this node again until
"crm_resource --cleanup" or the failure-timeout, and tries each of the other nodes once at most, so that the service does
not go round between nodes while its address is taken. A start that failed is undone.

A monitor looks in the kernel and asks the engine. When the engine does not answer, the kernel decides: the service is
running as long as its addresses are in namespaces of this node that processes are in. Addresses that killed containers
left behind are a failure, and a stop takes them away. What cannot be seen without the engine is taken as
running, with a warning in the log, when it was started here and was not stopped. A service that is there in part has
failed: OCF_ERR_GENERIC (1), with the reason. A node without an engine, or without the file, is a node where the service
is not running (7). A service that runs is judged by the configuration that it was started with.

A stop uses that configuration, too, and succeeds where nothing of the service can run, whatever the file says. It fails
when containers may be left that the engine does not stop: then the node has to be fenced.

Other codes: 2 this node is not one of those in the file; 4 not root; 5 also the file, an image, a device or a program is
missing on this node; 6 the parameter service is missing, or the file has errors. Code 6 bars the service from all nodes,
since the file is the same on each.

A service with "handover = true" in its file is handed over when the resource has the meta attribute allow-migrate=true:
migrate_to leaves a process on the node that has it; migrate_from starts everything but the addresses on the other node,
asks for the addresses, and claims them as soon as that process has withdrawn them. They are away for milliseconds, and
at no instant do both nodes have one. When nobody has answered for 10 s (handover_timeout), migrate_from fails and takes
nothing: the network cannot tell a node that has died from one that is cut off, which is what fencing is for. Without
"handover = true" migrate_to stops the service and migrate_from starts it.
</longdesc>
<shortdesc lang="en">Runs a service of plumb: containers and their ip addresses</shortdesc>

<parameters>
<parameter name="service" unique="1" unique-group="service" required="1">
<longdesc lang="en">
The service: a name, for the file NAME.conf in config_dir, or the absolute path of a file that ends in .conf.
</longdesc>
<shortdesc lang="en">Name or file of the service</shortdesc>
<content type="string"/>
</parameter>
<parameter name="config_dir" reloadable="1">
<longdesc lang="en">
Where the services' files are. A running service keeps what it was started with: a change counts at its next start.
</longdesc>
<shortdesc lang="en">Folder of the services' files</shortdesc>
<content type="string" default="/etc/plumb"/>
</parameter>
<parameter name="node">
<longdesc lang="en">
The name of this node in the service's file. The default is the host name up to its first dot. One value holds for all
nodes of the cluster, so this is for a resource that is kept on one node, or for a rule with a value for each node.
</longdesc>
<shortdesc lang="en">Name of this node in the service's file</shortdesc>
<content type="string" default=""/>
</parameter>
<parameter name="timing" reloadable="1">
<longdesc lang="en">
Whether start, stop and migrate_from write into Pacemaker's log where their time went, as "plumb start --timing" does.
</longdesc>
<shortdesc lang="en">Log where the time went</shortdesc>
<content type="boolean" default="false"/>
</parameter>
</parameters>

<actions>
<action name="start" timeout="120s"/>
<action name="stop" timeout="120s"/>
<action name="migrate_to" timeout="120s"/>
<action name="migrate_from" timeout="120s"/>
<action name="monitor" timeout="20s" interval="10s" depth="0"/>
<action name="monitor" timeout="30s" interval="60s" depth="10"/>
<action name="reload-agent" timeout="20s"/>
<action name="validate-all" timeout="20s"/>
<action name="meta-data" timeout="5s"/>
</actions>
</resource-agent>
)";
}

}  // namespace plumb
