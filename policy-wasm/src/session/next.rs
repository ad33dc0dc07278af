//! What comes next if nothing is done.

use super::Session;
use policy_core::Timestamp;
use policy_json::explain;
use policy_sim::store::Object;
use serde::Serialize;

/// Things shown of those to come.
const SHOWN: usize = 50;

/// Something that comes next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// When; none when it waits for something else.
    pub at: Option<Timestamp>,
    /// The same in seconds since the start.
    pub seconds: Option<f64>,
    /// `Kind/name`.
    pub object: Option<String>,
    /// As a clause.
    pub what: String,
    /// `controller`, `cluster` or `scenario`.
    pub source: &'static str,
}

impl Session {
    /// What comes next, the soonest first; what waits for something else comes last.
    pub fn next(&self) -> Vec<Next> {
        if self.state.run.ending().is_some() {
            return Vec::new();
        }
        let mut all = Vec::new();
        let (mut jobs, world) = (0, &self.state.run.world);
        for object in world.store.objects() {
            let (reported, kind) = match object {
                Object::Job(job) if job.status.finished().is_none() && jobs < SHOWN => {
                    jobs += 1;
                    (self.job_report(job).next, "Job")
                }
                Object::CronJob(cron_job) => (self.cron_job_report(cron_job).next, "CronJob"),
                _ => continue,
            };
            let object = format!("{kind}/{}", object.metadata().name);
            all.extend(reported.iter().map(|next| self.of_report(next, &object)));
        }
        all.extend(world.coming(SHOWN).into_iter().map(|coming| Next {
            at: Some(coming.at),
            seconds: Some(self.seconds(coming.at)),
            object: Some(coming.object),
            what: coming.what,
            source: "cluster",
        }));
        all.extend(self.state.run.planned().map(|(at, what)| Next {
            at: Some(at),
            seconds: Some(self.seconds(at)),
            object: None,
            what,
            source: "scenario",
        }));
        all.sort_by_key(|next| (next.at.is_none(), next.at));
        all.truncate(SHOWN);
        all
    }

    fn of_report(&self, next: &explain::Next, object: &str) -> Next {
        Next {
            at: next.at,
            seconds: next.at.map(|at| self.seconds(at)),
            object: Some(object.to_owned()),
            what: next.what.clone(),
            source: "controller",
        }
    }
}
