#pragma once

namespace micro {
class Plugins;
}

namespace micro::dns {

// Adds the registry "dns". --registry_address is a list of key=value, separated by commas:
//
//   domain=example.org                      appended to the names of services
//   prefix=_grpc._tcp                       put before them; "prefix=" for none
//   port=8080                               A and AAAA records with this port instead of SRV records
//   server=10.0.0.2:53                      whom to ask; may be repeated; the system's servers without
//
// "domain=default.svc.cluster.local,port=8080" finds the pods of headless services of Kubernetes.
void install(Plugins& plugins);

}  // namespace micro::dns
