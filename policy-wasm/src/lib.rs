//! The decisions and the virtual cluster for JavaScript. JSON crosses the boundary as bytes; types.d.ts is the interface.
//!
//! What is done is done in modules that know nothing of JavaScript, so that tests need none.

#[cfg(all(target_arch = "wasm32", feature = "exports"))]
mod browser;
mod explain;
mod problem;
mod questions;
mod scenarios;
mod session;
pub mod zones;

pub use explain::{explain, rules};
pub use problem::{Answer, Code, Problem, Step, bytes, read, written};
pub use questions::{decide, schedule, validate, version};
pub use scenarios::{check_scenario, scenario_of};
pub use session::{
    DecisionRow, Frame, FrameOptions, Injected, Next, Parting, Position, Request, Session, StatusChange,
    Unit, Why, WhyTarget,
};
