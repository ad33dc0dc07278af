//! What the controllers have in mind, for those who look on.

use super::process::clock;
use crate::World;
use policy_core::job::decide;
use policy_core::{JobMemory, Timestamp};

/// What the Job controller has in mind about a Job.
#[derive(Clone, Copy, Debug)]
pub struct JobMind<'w> {
    /// What it remembers between syncs.
    pub memory: &'w JobMemory,
    /// Whether a sync waits for answers.
    pub syncing: bool,
    /// When Pods may be created again, if they wait for the back-off.
    pub backoff_ends_at: Option<Timestamp>,
}

impl World {
    /// Whether the controllers run.
    pub fn controllers_run(&self) -> bool {
        self.control.up
    }

    /// How often the controllers have ended and started again.
    pub fn controller_restarts(&self) -> u64 {
        self.control.epoch
    }

    /// The time by the controllers' clock.
    pub fn controller_clock(&self) -> Timestamp {
        clock(self)
    }

    /// What the Job controller has in mind about a Job; nothing while it is down or has not seen it.
    pub fn job_mind(&self, namespace: &str, name: &str) -> Option<JobMind<'_>> {
        let entry = self.control.up.then(|| self.control.jobs.entry(namespace, name)).flatten()?;
        let memory = entry.memory();
        let waits = memory.backoff.is_some().then(|| entry.view(&self.config.controller.settings)).flatten();
        let plan = waits.map(|view| decide(view, memory, clock(self), &mut ()));
        let backoff_ends_at = plan.and_then(|plan| plan.end.wake.backoff_ends_at);
        Some(JobMind { memory, syncing: entry.is_syncing(), backoff_ends_at })
    }
}
