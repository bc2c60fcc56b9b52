// The entry point of libFuzzer for one target: compiled once each, with MICRO_FUZZ_NAME set to its function.
#include <cstddef>
#include <cstdint>
#include <string_view>

void MICRO_FUZZ_NAME(std::string_view input);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MICRO_FUZZ_NAME({reinterpret_cast<const char*>(data), size});
  return 0;
}
