//! Time zones for the core, from chrono-tz's copy of the tz database.
