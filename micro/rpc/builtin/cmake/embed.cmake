# cmake -DINPUT=<file> -DOUTPUT=<file.cpp> -P embed.cmake: the bytes of a file as micro::rpc::builtin::descriptor_set().
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE "${OUTPUT}" "#include \"types.hpp\"

namespace micro::rpc::builtin {

std::string_view descriptor_set() {
  static constexpr unsigned char bytes[] = {${bytes}};
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

}  // namespace micro::rpc::builtin
")
