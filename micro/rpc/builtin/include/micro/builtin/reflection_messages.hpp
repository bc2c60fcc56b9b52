#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>

// The messages of server reflection, for clients: questions are put into a request message, answers taken out of a response. One
// stream carries any number of them, answers in the order of the questions.
namespace micro::rpc::reflection {

// The two differ in their names alone; old servers know only v1alpha.
enum class Version : std::uint8_t { kV1, kV1Alpha };

// Method of both versions; its kind is bidi_stream.
inline constexpr std::string_view kMethod = "ServerReflectionInfo";

// What to call and with which types; these live as long as the program.
struct Protocol {
  std::string_view service;  // "grpc.reflection.v1.ServerReflection"
  const codec::MessageType* request = nullptr;
  const codec::MessageType* response = nullptr;
};
const Protocol& protocol(Version version);

// Each makes `request`, a message of Protocol::request, into another question.
void ask_services(codec::MessageRef request);
void ask_file_with_symbol(codec::MessageRef request, std::string_view symbol);
void ask_file(codec::MessageRef request, std::string_view name);

// What `response` answers: names of services, or serialised FileDescriptorProtos (the one asked for and some or all of its
// imports). Errors: the error_response of the server with its code; INTERNAL when it answers another question.
Result<std::vector<std::string>> services_in(codec::MessageRef response);
Result<std::vector<std::string>> files_in(codec::MessageRef response);

}  // namespace micro::rpc::reflection
