#include <cerrno>
#include <string>
#include <system_error>

#include <micro/error/error.hpp>

namespace micro {
namespace {

// EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP are the same number on Linux, so one of each stands for both.
Code code_of(int error_number) noexcept {
  switch (error_number) {
    case EPERM:
    case EACCES:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ESRCH:
      return Code::kNotFound;
    case EEXIST:
    case EADDRINUSE:
    case EALREADY:
      return Code::kAlreadyExists;
    case EINVAL:
    case E2BIG:
    case EDESTADDRREQ:
    case EDOM:
    case EILSEQ:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOPROTOOPT:
      return Code::kInvalidArgument;
    case EADDRNOTAVAIL:
    case EBUSY:
    case EISCONN:
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
    case ETXTBSY:
    case EXDEV:
      return Code::kFailedPrecondition;
    case ETIMEDOUT:
    case ETIME:
      return Code::kDeadlineExceeded;
    case ECANCELED:
      return Code::kCancelled;
    case EDQUOT:
    case EMFILE:
    case EMLINK:
    case EMSGSIZE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return Code::kResourceExhausted;
    case EFBIG:
    case EOVERFLOW:
    case ERANGE:
      return Code::kOutOfRange;
    case EDEADLK:
    case ESTALE:
      return Code::kAborted;
    case EAFNOSUPPORT:
    case ENOSYS:
    case EOPNOTSUPP:
    case EPFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
      return Code::kUnimplemented;
    case EAGAIN:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
    case ENOTCONN:
    case EPIPE:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Error from_errno(int error_number, std::string_view what) {
  std::string message(what);
  message.append(": ").append(std::generic_category().message(error_number));
  message.append(" (errno ").append(std::to_string(error_number)).append(")");
  return {code_of(error_number), std::move(message)};
}

}  // namespace micro
