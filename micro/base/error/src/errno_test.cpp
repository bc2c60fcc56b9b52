#include <cerrno>

#include <gtest/gtest.h>

#include <micro/error/error.hpp>

namespace micro {
namespace {

TEST(FromErrno, SaysWhatFailedAndWhy) {
  const Error error = from_errno(EACCES, "cannot open /etc/x");
  EXPECT_EQ(error.message(), "cannot open /etc/x: Permission denied (errno 13)");
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
}

TEST(FromErrno, CodesFollowTheNumber) {
  const std::pair<int, Code> cases[] = {
      {EPERM, Code::kPermissionDenied},
      {ENOENT, Code::kNotFound},
      {EADDRINUSE, Code::kAlreadyExists},
      {EEXIST, Code::kAlreadyExists},
      {EINVAL, Code::kInvalidArgument},
      {ENOTDIR, Code::kFailedPrecondition},
      {ETIMEDOUT, Code::kDeadlineExceeded},
      {ECANCELED, Code::kCancelled},
      {EMFILE, Code::kResourceExhausted},
      {ENOSPC, Code::kResourceExhausted},
      {ERANGE, Code::kOutOfRange},
      {EDEADLK, Code::kAborted},
      {ENOSYS, Code::kUnimplemented},
      {ECONNREFUSED, Code::kUnavailable},
      {ECONNRESET, Code::kUnavailable},
      {EWOULDBLOCK, Code::kUnavailable},
      {EPIPE, Code::kUnavailable},
      {EADDRNOTAVAIL, Code::kFailedPrecondition},
      {EBADF, Code::kInternal},
      {EFAULT, Code::kInternal},
      {0, Code::kInternal},
      {123456, Code::kInternal},
  };
  for (const auto& [number, code] : cases) EXPECT_EQ(from_errno(number, "x").code(), code) << number;
}

}  // namespace
}  // namespace micro
