#pragma once

namespace micro {
class Plugins;
}

namespace micro::etcd {

// Makes `--registry etcd` work: see <micro/etcd/registry.hpp> for what the address, the layout and the environment say.
void install(Plugins& plugins);

}  // namespace micro::etcd
