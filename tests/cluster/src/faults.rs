//! Faults on a real cluster, the load that they are put on, and the checkers.

mod load;
mod proxy;
mod recording;
mod replicas;

pub use load::{Load, Total};
pub use proxy::{Odds, Proxy};
pub use recording::{JobStory, PodStory, Recording, Seen};
pub use replicas::{Part, Replicas};
