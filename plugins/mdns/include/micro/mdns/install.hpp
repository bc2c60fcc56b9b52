#pragma once

namespace micro {
class Plugins;
}

namespace micro::mdns {

// Adds the registry "mdns". --registry_address names another group and port than the usual ones, "239.255.0.1:5454"; as a rule it
// is left out.
void install(Plugins& plugins);

}  // namespace micro::mdns
