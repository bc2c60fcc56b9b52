#pragma once

#include <string>

#include "model.hpp"

namespace micro::generator {

// The text of x/y.micro.hpp and x/y.micro.cpp: the same bytes for the same model.
std::string print_header(const File& file);
std::string print_source(const File& file);

// Pieces both files write in the same way. Result types and parameter lists of the handler's and the client's member functions.
std::string handler_result(const Method& method);
std::string client_result(const Method& method);
std::string client_parameters(const Method& method);
// "kUnary"
std::string kind_constant(Kind kind);

}  // namespace micro::generator
