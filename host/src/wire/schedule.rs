//! Lines of `schedule`.
