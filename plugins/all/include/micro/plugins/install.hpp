#pragma once

#include <micro/plugin/plugins.hpp>

namespace micro {

// Adds everything the plugins of this build have to a program's table: for programs that let their users choose.
//
//   micro::Plugins plugins;
//   micro::install_plugins(plugins);
//   micro::Service service({.name = "greeter"}, std::move(plugins));   // --registry etcd works
//
// A program that wants one of them alone links it and calls its own install(): `micro::etcd::install(plugins)`.
void install_plugins(Plugins& plugins);

}  // namespace micro
