//! Runs a Job as child processes of this program. The core decides about retries, back-off, failure policy, indexes and
//! the Job's end; what is left is to start processes, to look at them, and to remember.
//!
//! `cargo run -p policy-core --example child_processes [JOB.json]`

use policy_core::job::{Call, PodCreate, PodDraft, Step, begin};
use policy_core::spec::{Job, JobStatus, LabelSelector, Pod};
use policy_core::step::Outcome;
use policy_core::{JobCache, JobMemory, NANOS_PER_SECOND, PodEvent, Settings, Timestamp};
use serde_json::{Value, json};
use std::process::{Child, Command};
use std::{collections::BTreeMap, env, error::Error, fs, thread, time};

/// Five items, two at a time. Item 3 is bad, and the failure policy wastes no retries on it.
pub(crate) const JOB: &str = r#"{"metadata": {"name": "items"}, "spec": {
    "completionMode": "Indexed", "completions": 5, "parallelism": 2, "backoffLimitPerIndex": 2,
    "podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [42]}}]},
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "command": ["sh", "-c",
        "echo item $JOB_COMPLETION_INDEX; [ $JOB_COMPLETION_INDEX != 3 ] || exit 42"]}]}}}}"#;

/// A world in which Pods are processes.
struct World {
    draft: PodDraft,
    /// Pods by UID, each with the process that stands for its container.
    pods: BTreeMap<String, (Pod, Child)>,
    status: JobStatus,
}

/// Runs the Job to its end.
pub(crate) fn run(mut job: Job, settings: &Settings) -> Result<JobStatus, Box<dyn Error>> {
    // What an API server would fill in.
    (job.metadata.uid, job.metadata.namespace) = ("job".into(), "local".into());
    job.spec.selector = Some(LabelSelector::default());
    let mut world = World { draft: PodDraft::new(&job), pods: BTreeMap::new(), status: JobStatus::default() };
    let (mut cache, mut memory) = (JobCache::new(job), JobMemory::default());
    while world.status.finished().is_none() {
        for (pod, process) in world.pods.values_mut() {
            look(pod, process)?;
            cache.apply(PodEvent::Applied(pod));
        }
        let view = cache.view(settings);
        let mut step = begin(view, &memory, now(), &mut ());
        while let Step::Wave(wave, paused) = step {
            let outcomes: Vec<_> = wave.calls.into_iter().map(|call| world.carry_out(call)).collect();
            step = paused.resume(view, &outcomes, now(), &mut ());
        }
        if let Step::Finished(end) = step {
            memory.apply(&end.memory);
        }
        cache.set_status(world.status.clone());
        thread::sleep(time::Duration::from_millis(5));
    }
    Ok(world.status)
}

impl World {
    /// Does what the core asks for.
    fn carry_out(&mut self, call: Call) -> Outcome {
        match call {
            Call::CreatePod(create) => match self.start(create) {
                Ok((pod, process)) => drop(self.pods.insert(pod.metadata.uid.clone(), (pod, process))),
                Err(error) => return Outcome::failed(error),
            },
            Call::DeletePod(pod) => {
                if let Some((pod, process)) = self.pods.get_mut(pod.uid()) {
                    pod.metadata.deletion_timestamp = Some(now());
                    return process.kill().map_or_else(Outcome::failed, |()| Outcome::done());
                }
            }
            Call::RemoveFinalizer(pod) => {
                if let Some((pod, _)) = self.pods.get_mut(pod.uid()) {
                    pod.metadata.finalizers.clear();
                }
            }
            Call::WriteStatus(status) => self.status = *status,
            _ => {} // Nobody else makes or takes Pods here, so there are none to adopt or to release.
        }
        Outcome::done()
    }

    /// Starts the command of the Pod's first container.
    fn start(&self, create: PodCreate) -> Result<(Pod, Child), Box<dyn Error>> {
        let (manifest, serial) = (self.draft.pod(&create), self.pods.len());
        let command = manifest.pointer("/spec/containers/0/command").and_then(Value::as_array);
        let mut words = command.into_iter().flatten().filter_map(Value::as_str);
        let mut command = Command::new(words.next().ok_or("the container has no command")?);
        command.args(words).envs(create.index.map(|index| ("JOB_COMPLETION_INDEX", index.to_string())));
        let mut pod: Pod = serde_json::from_value(manifest)?;
        pod.metadata.name = format!("{}{serial}", self.draft.generate_name(&create));
        (pod.metadata.uid, pod.metadata.namespace) = (serial.to_string(), "local".into());
        pod.status.phase = "Running".into();
        Ok((pod, command.spawn()?))
    }
}

/// Notes in the Pod how its process ended.
fn look(pod: &mut Pod, process: &mut Child) -> Result<(), Box<dyn Error>> {
    if let (Some(exit), "Running") = (process.try_wait()?, &*pod.status.phase) {
        let ended = json!({"exitCode": exit.code().unwrap_or(137), "finishedAt": now()});
        pod.status = serde_json::from_value(json!({
            "phase": if exit.success() { "Succeeded" } else { "Failed" },
            "containerStatuses": [{"name": "main", "state": {"terminated": ended}}],
        }))?;
    }
    Ok(())
}

fn now() -> Timestamp {
    let since_epoch = time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_unix(since_epoch.as_secs() as i64, since_epoch.subsec_nanos()).unwrap_or(Timestamp::ZERO)
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = env::args().nth(1).map_or(Ok(JOB.into()), fs::read_to_string)?;
    // A second instead of ten before the first retry.
    let settings = Settings { pod_failure_backoff_nanos: NANOS_PER_SECOND, ..Settings::DEFAULT };
    let status = run(serde_json::from_str(&text)?, &settings)?;
    println!("{}", serde_json::to_string_pretty(&status)?);
    Ok(())
}
