#pragma once

// Durations and clocks without the rest of <chrono>: the calendar and its streams cost every including file thousands of lines.
// libstdc++ keeps the small part in a header of its own.
#if defined(__GLIBCXX__) && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

namespace micro {

// The one duration of the framework. Signed 64-bit nanoseconds: about 292 years.
using Duration = std::chrono::nanoseconds;

// Time that only goes forward: deadlines, timers, measurements.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

}  // namespace micro
