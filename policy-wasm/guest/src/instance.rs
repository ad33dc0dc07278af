//! What lives in an instance: Pods of Jobs under handles, and syncs that wait for outcomes.

use crate::fault::{Code, Fault};
use crate::requests::{Apply, Begin, ChildIn, CronOutcomes, EventIn, Outcomes, Resume};
use policy_core::cron::{self, ChildJob, CronJobView};
use policy_core::explain::{Finding, Trace};
use policy_core::job::{self, PodDraft};
use policy_core::spec::CronJob;
use policy_core::step::{Outcome, Step};
use policy_core::{JobCache, JobMemory, PodEvent, Settings};
use policy_json::step::{
    CallJson, CronCallJson, CronFinishedJson, EventJson, ExpectJson, FinishedJson, MemoryJson, StepJson,
    WaveJson, call,
};
use policy_zones::TzDatabase;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// An instance of the module.
#[derive(Debug, Default)]
pub struct Instance {
    caches: BTreeMap<u32, Rc<JobCache>>,
    paused: BTreeMap<u32, Paused>,
    handles: u32,
}

/// A sync that waits for the outcomes of so many calls.
#[derive(Debug)]
struct Paused {
    sync: Sync,
    calls: usize,
    trace: bool,
}

#[derive(Debug)]
enum Sync {
    Job(job::Paused, Seen),
    CronJob(cron::Paused, Rc<CronSeen>),
}

/// What a Job's sync sees from its begin to its end. What is applied meanwhile belongs to the next one.
#[derive(Clone, Debug)]
struct Seen {
    cache: Rc<JobCache>,
    settings: Settings,
    /// Writes Pods out, if that is wanted.
    draft: Option<Arc<PodDraft>>,
}

#[derive(Debug)]
struct CronSeen {
    cron_job: CronJob,
    jobs: Vec<ChildIn>,
}

#[derive(Serialize)]
struct Applied {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<u32>,
    pods: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<MemoryJson>,
}

type Answer = Result<Vec<u8>, Fault>;

impl Instance {
    /// A line of `jobpolicy decide --stream`: the answer's bytes are the same.
    ///
    /// # Errors
    /// The line is not of the expected form.
    pub fn decide(&self, line: &[u8]) -> Answer {
        let fields: BTreeMap<String, &RawValue> = read(line).unwrap_or_default();
        let mut out = Vec::new();
        let result = if fields.contains_key("cronJob") {
            policy_json::cron_job::answer(line, TzDatabase::shared(), &mut out)
        } else {
            policy_json::job::answer(line, &mut out)
        };
        result.map_err(|error| Fault::new(Code::Malformed, error.message))?;
        Ok(out)
    }

    /// Takes in what the watch has shown.
    ///
    /// # Errors
    /// The request is malformed, or names a cache that is not there.
    pub fn apply(&mut self, request: &[u8]) -> Answer {
        let request: Apply = read(request)?;
        if request.drop {
            let handle = request.cache.ok_or_else(|| malformed("`drop` needs a `cache`"))?;
            let cache = self.caches.remove(&handle).ok_or_else(|| unknown("cache", handle))?;
            return written(&Applied { cache: None, pods: cache.pods().len(), memory: request.memory });
        }
        let handle = match (request.cache, request.job) {
            (None, None) => return Err(malformed("want `job` for a new cache, or `cache`")),
            (None, Some(job)) => {
                let handle = self.handle();
                self.caches.insert(handle, Rc::new(JobCache::new(job)));
                handle
            }
            (Some(handle), job) => {
                let cache = self.caches.get_mut(&handle).ok_or_else(|| unknown("cache", handle))?;
                if let Some(job) = job {
                    if job.metadata.uid == cache.job().metadata.uid {
                        Rc::make_mut(cache).set_job(job);
                    } else {
                        *cache = Rc::new(JobCache::new(job));
                    }
                }
                handle
            }
        };
        let cache = self.caches.get_mut(&handle).ok_or_else(|| unknown("cache", handle))?;
        let mut memory = request.memory.map(JobMemory::from);
        take_in(Rc::make_mut(cache), request.events, memory.as_mut());
        let memory = memory.as_ref().map(MemoryJson::from);
        written(&Applied { cache: Some(handle), pods: cache.pods().len(), memory })
    }

    /// Starts a sync.
    ///
    /// # Errors
    /// The request is malformed, or names a cache that is not there.
    pub fn begin(&mut self, request: &[u8]) -> Answer {
        let request: Begin = read(request)?;
        let (now, trace) = (request.now, request.trace);
        if let Some(cron_job) = request.cron_job {
            let seen = Rc::new(CronSeen { cron_job, jobs: request.jobs });
            return self.cron_step(seen, trace, |view, rec| match rec {
                Some(rec) => cron::begin(view, now, TzDatabase::shared(), rec),
                None => cron::begin(view, now, TzDatabase::shared(), &mut ()),
            });
        }
        let (cache, draft) = match (request.cache, request.job) {
            (Some(handle), None) => {
                let cache = self.caches.get_mut(&handle).ok_or_else(|| unknown("cache", handle))?;
                // Rendered once for a template; while another sync holds the cache, nothing can be kept in it.
                let draft = Rc::get_mut(cache).filter(|_| request.render).map(JobCache::draft);
                (Rc::clone(cache), draft)
            }
            (None, Some(job)) => {
                let mut cache = JobCache::new(job);
                request.pods.iter().for_each(|pod| drop(cache.apply(PodEvent::Applied(pod))));
                (Rc::new(cache), None)
            }
            _ => return Err(malformed("want one of `cache`, `job` and `cronJob`")),
        };
        let fresh = || Arc::new(PodDraft::new(cache.job()));
        let draft = request.render.then(|| draft.unwrap_or_else(fresh));
        let seen = Seen { cache, settings: request.settings.into(), draft };
        let memory = JobMemory::from(request.memory);
        self.job_step(seen, trace, |view, rec| match rec {
            Some(rec) => job::begin(view, &memory, now, rec),
            None => job::begin(view, &memory, now, &mut ()),
        })
    }

    /// Goes on with a sync.
    ///
    /// # Errors
    /// The request is malformed, has not one outcome for each call, or names a sync that does not wait. The sync goes on
    /// waiting.
    pub fn resume(&mut self, request: &[u8]) -> Answer {
        let request: Resume<'_> = read(request)?;
        let handle = request.paused;
        let waiting = self.paused.get(&handle).ok_or_else(|| unknown("paused sync", handle))?;
        if request.drop {
            self.paused.remove(&handle);
            return Ok(b"{}".to_vec());
        }
        let now = request.now.ok_or_else(|| malformed("`now` is missing"))?;
        let outcomes = request.outcomes.map_or("[]", RawValue::get);
        let outcomes = Given::read(outcomes, waiting)?;
        let Some(Paused { sync, trace, .. }) = self.paused.remove(&handle) else {
            return Err(unknown("paused sync", handle));
        };
        match (sync, outcomes) {
            (Sync::Job(paused, seen), Given::Job(outcomes)) => {
                self.job_step(seen, trace, |view, rec| match rec {
                    Some(rec) => paused.resume(view, &outcomes, now, rec),
                    None => paused.resume(view, &outcomes, now, &mut ()),
                })
            }
            (Sync::CronJob(paused, seen), Given::CronJob(outcomes)) => {
                self.cron_step(seen, trace, |view, rec| match rec {
                    Some(rec) => paused.resume(view, outcomes, now, TzDatabase::shared(), rec),
                    None => paused.resume(view, outcomes, now, TzDatabase::shared(), &mut ()),
                })
            }
            _ => Err(malformed("outcomes of another kind of sync")),
        }
    }

    fn job_step(
        &mut self,
        seen: Seen,
        trace: bool,
        step: impl FnOnce(job::JobView<'_>, Option<&mut Trace>) -> job::Step,
    ) -> Answer {
        let mut recorded = Trace::default();
        let step = step(seen.cache.view(&seen.settings), trace.then_some(&mut recorded));
        let findings = recorded.findings().to_vec();
        match step {
            Step::Finished(finished) => finished_step::<CallJson, _>(FinishedJson::from(finished), findings),
            Step::Wave(wave, paused) => {
                let draft = seen.draft.clone();
                let calls: Option<Vec<CallJson>> =
                    wave.calls.iter().map(|one| call(one, draft.as_deref())).collect();
                let calls = calls.ok_or_else(|| malformed("a call that this version cannot write"))?;
                let sync = Sync::Job(paused, seen);
                let handle = self.wait(sync, calls.len(), trace);
                let (first_call, expect) = (wave.first_call, ExpectJson::of(&wave.expect, &wave.calls));
                let events = wave.events.into_iter().map(EventJson::from).collect();
                wave_step::<_, FinishedJson>(WaveJson { calls, first_call, expect, events }, handle, findings)
            }
        }
    }

    fn cron_step(
        &mut self,
        seen: Rc<CronSeen>,
        trace: bool,
        step: impl FnOnce(CronJobView<'_>, Option<&mut Trace>) -> cron::Step,
    ) -> Answer {
        let jobs: Vec<ChildJob<'_>> =
            seen.jobs.iter().map(|job| ChildJob { metadata: &job.metadata, status: &job.status }).collect();
        let view = CronJobView { cron_job: &seen.cron_job, jobs: &jobs };
        let mut recorded = Trace::default();
        let step = step(view, trace.then_some(&mut recorded));
        let findings = recorded.findings().to_vec();
        match step {
            Step::Finished(finished) => {
                finished_step::<CronCallJson, _>(CronFinishedJson::from(finished), findings)
            }
            Step::Wave(wave, paused) => {
                let (first_call, expect) = (wave.first_call, ExpectJson::of(&wave.expect, &[]));
                let calls: Vec<CronCallJson> = wave.calls.into_iter().map(CronCallJson::from).collect();
                let handle = self.wait(Sync::CronJob(paused, Rc::clone(&seen)), calls.len(), trace);
                let events = wave.events.into_iter().map(EventJson::from).collect();
                wave_step::<_, CronFinishedJson>(
                    WaveJson { calls, first_call, expect, events },
                    handle,
                    findings,
                )
            }
        }
    }

    fn wait(&mut self, sync: Sync, calls: usize, trace: bool) -> u32 {
        let handle = self.handle();
        self.paused.insert(handle, Paused { sync, calls, trace });
        handle
    }

    /// A number that no cache and no sync has.
    fn handle(&mut self) -> u32 {
        loop {
            self.handles = self.handles.wrapping_add(1);
            let handle = self.handles;
            if handle != 0 && !self.caches.contains_key(&handle) && !self.paused.contains_key(&handle) {
                return handle;
            }
        }
    }
}

/// Outcomes that fit the sync that waits for them.
enum Given {
    Job(Vec<Outcome>),
    CronJob(Vec<cron::Outcome>),
}

impl Given {
    fn read(outcomes: &str, waiting: &Paused) -> Result<Self, Fault> {
        let (given, count) = match waiting.sync {
            Sync::Job(..) => {
                let read: Outcomes = serde_json::from_str(outcomes)?;
                let count = read.len();
                (Given::Job(read.into_iter().map(Outcome::from).collect()), count)
            }
            Sync::CronJob(..) => {
                let read: CronOutcomes = serde_json::from_str(outcomes)?;
                let count = read.len();
                (Given::CronJob(read.into_iter().map(cron::Outcome::from).collect()), count)
            }
        };
        if count != waiting.calls {
            let message = format!("{count} outcomes for {} calls", waiting.calls);
            return Err(Fault::new(Code::WrongCount, message));
        }
        Ok(given)
    }
}

fn take_in(cache: &mut JobCache, events: Vec<EventIn>, mut memory: Option<&mut JobMemory>) {
    for event in &events {
        let event = match event {
            EventIn::Applied(pod) => PodEvent::Applied(pod),
            EventIn::Deleted(uid) => PodEvent::Deleted { uid },
        };
        match &mut memory {
            Some(memory) => cache.apply_and_observe(event, memory),
            None => drop(cache.apply(event)),
        }
    }
}

fn wave_step<C: Serialize, F: Serialize>(wave: WaveJson<C>, paused: u32, findings: Vec<Finding>) -> Answer {
    written(&StepJson::<C, F> { wave: Some(wave), paused: Some(paused), finished: None, findings })
}

fn finished_step<C: Serialize, F: Serialize>(finished: F, findings: Vec<Finding>) -> Answer {
    written(&StepJson::<C, F> { wave: None, paused: None, finished: Some(finished), findings })
}

/// By way of text, as the lines of the protocol are read: one reader for each type is enough.
fn read<'r, T: Deserialize<'r>>(request: &'r [u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(request).map_err(|error| malformed(&format!("not UTF-8: {error}")))?;
    Ok(serde_json::from_str(text)?)
}

fn written(value: &impl Serialize) -> Answer {
    serde_json::to_vec(value).map_err(Fault::from)
}

fn malformed(message: &str) -> Fault {
    Fault::new(Code::Malformed, message)
}

fn unknown(what: &str, handle: u32) -> Fault {
    Fault::new(Code::UnknownHandle, format!("there is no {what} `{handle}`"))
}

#[cfg(test)]
mod tests;
