//! Lines of `validate`.
