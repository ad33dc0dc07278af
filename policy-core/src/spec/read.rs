//! Reading objects from JSON text.
//!
//! What is generic is compiled once for each crate that asks for it, unless a crate below has it already. That is here, so
//! that programs made of several crates, and pages that load them, have one reader of each type and not three.

use super::{CronJob, Job, Pod};

/// A method that reads a type.
macro_rules! from_json {
    ($($object:ident)*) => {$(
        impl $object {
            /// Reads the object from JSON text.
            ///
            /// # Errors
            /// The text is not JSON, or a field has another type.
            pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
                serde_json::from_str(text)
            }
        }
    )*};
}

from_json!(Job CronJob Pod);
