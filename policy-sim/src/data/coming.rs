//! What the data plane is about to do, for those who look on.

use super::{Due, Of};
use crate::World;
use crate::object::PodId;
use crate::world::Happening;
use policy_core::Timestamp;

/// Something that the cluster will do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// When.
    pub at: Timestamp,
    /// What it is about, as `Kind/name`.
    pub object: String,
    /// What, as a clause.
    pub what: String,
}

impl World {
    /// What people would wait for, the soonest first, so many at most. What has become void is left out.
    pub fn coming(&self, most: usize) -> Vec<Coming> {
        let data = self.agenda.iter().filter_map(|(at, what)| match what {
            Happening::Data(due) => Some((at, due)),
            Happening::Control(_) => None,
        });
        let mut due: Vec<(Timestamp, &Due)> = data.collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().filter_map(|(at, due)| self.described(at, due)).take(most).collect()
    }

    fn described(&self, at: Timestamp, due: &Due) -> Option<Coming> {
        match due {
            Due::Pulled(of) => self.of_container(at, *of, "has its image pulled"),
            Due::PullAgain(of) => self.of_container(at, *of, "has its image pulled again"),
            Due::Wake(of) => self.of_container(at, *of, "goes on in its script"),
            Due::Ready(of) => self.of_container(at, *of, "becomes ready"),
            Due::Restart(of) => self.of_container(at, *of, "is restarted"),
            Due::Kill(of, code) => self.of_container(at, *of, &format!("ends with exit code {code}")),
            Due::PodDeadline(pod) => self.of_pod(at, *pod, "is over its own activeDeadlineSeconds"),
            Due::TaintOver(pod, ..) => self.of_pod(at, *pod, "is evicted for a taint of its node"),
            Due::NodeSilent(node, turn) | Due::NodeOff(node, turn) => {
                let node = self.data.nodes.get(*node).filter(|node| node.turn == *turn)?;
                let what = match due {
                    Due::NodeOff(..) => "goes off",
                    _ => "has been silent for the grace period and is taken for lost",
                };
                Some(Coming { at, object: format!("Node/{}", node.name), what: what.to_owned() })
            }
            // Steps on the way that take fractions of a second.
            _ => None,
        }
    }

    fn of_container(&self, at: Timestamp, of: Of, what: &str) -> Option<Coming> {
        let run = self.data.runs.get(&of.pod)?.containers.get(of.container)?;
        let pod = self.store.pod(of.pod).filter(|_| run.turn == of.turn)?;
        let name = &pod.base.containers.get(of.container)?.name;
        Some(Coming { at, object: format!("Pod/{}", pod.name), what: format!("container {name} {what}") })
    }

    fn of_pod(&self, at: Timestamp, pod: PodId, what: &str) -> Option<Coming> {
        let pod = self.store.pod(pod).filter(|pod| !pod.is_terminal())?;
        Some(Coming { at, object: format!("Pod/{}", pod.name), what: format!("it {what}") })
    }
}
