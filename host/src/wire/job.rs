//! Job lines of `decide`.
