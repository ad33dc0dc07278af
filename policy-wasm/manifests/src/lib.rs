//! The second module for JavaScript: YAML and templates, checks at lines and columns, worst cases. manifests.d.ts is the
//! interface.
//!
//! It is a module of its own because a page needs none of it before somebody edits.

#[cfg(target_arch = "wasm32")]
mod browser;
mod check;
mod expand;
mod lint;
mod place;
mod read;
mod worst;

pub use check::{Checked, check};
pub use expand::{Expanded, expand};
pub use lint::{Found, lint};
pub use place::{Place, Placed};
pub use read::{ManifestAt, manifests, to_yaml};
pub use worst::worst_case;
