//! Manifests as people have them: YAML or JSON with a way back from every value to its line, templates that make them,
//! and YAML written out as `kubectl` writes it. For the command and for pages alike.

pub mod diagnostic;
pub mod expand;
pub mod findings;
pub mod manifest;
pub mod scenario;
pub mod written;
