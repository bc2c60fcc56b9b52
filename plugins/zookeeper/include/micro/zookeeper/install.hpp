#pragma once

namespace micro {
class Plugins;
}

namespace micro::zookeeper {

// Makes `--registry zookeeper` work: see <micro/zookeeper/registry.hpp> for what the address, the layout and the environment say.
void install(Plugins& plugins);

}  // namespace micro::zookeeper
