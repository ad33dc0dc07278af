//! Every committed version of the Pods and Jobs of a namespace, and what must hold of them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What has been seen of a Pod.
#[derive(Clone, Debug, Default)]
pub struct PodStory {
    /// Its name.
    pub name: String,
    /// The UID of the Job that controls it.
    pub owner: String,
    /// Its index, if it has one.
    pub index: Option<String>,
    /// The version in which it was first seen.
    pub created: u64,
    /// The version in which it was first seen to have succeeded.
    pub succeeded: Option<u64>,
    /// Whether the finalizer was there when it was last seen.
    pub is_tracked: bool,
}

/// What has been seen of a Job.
#[derive(Clone, Debug, Default)]
pub struct JobStory {
    /// Its name.
    pub name: String,
    /// Pods that were ever listed as uncounted: succeeded, failed.
    pub listed: [BTreeSet<String>; 2],
    /// Pods that are listed now.
    now: [BTreeSet<String>; 2],
    /// The status as it was last seen.
    pub status: Value,
    /// The condition that ended it, and its reason.
    pub ended: Option<(String, String)>,
}

/// All that has been seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Pods by UID.
    pub pods: BTreeMap<String, PodStory>,
    /// Jobs by UID.
    pub jobs: BTreeMap<String, JobStory>,
    /// What must not be.
    pub wrong: Vec<String>,
    /// How often a watch had to begin again from a list: versions between are not known.
    pub gaps: u64,
}

/// A recording under way; it ends when it goes away.
pub struct Recording {
    seen: Arc<Mutex<Seen>>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Recording {
    /// Records through `kubectl proxy` on this port.
    pub(crate) fn start(port: u16, namespace: &str) -> Self {
        let (seen, ended) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let paths = [
            format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
            format!("/api/v1/namespaces/{namespace}/pods"),
        ];
        let threads = paths.map(|path| {
            let (seen, ended) = (seen.clone(), ended.clone());
            thread::spawn(move || follow(port, &path, &seen, &ended))
        });
        Recording { seen, ended, threads: threads.into() }
    }

    /// What has been seen so far.
    ///
    /// # Panics
    /// When a thread of the recording has.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// The names of the Jobs that have ended.
    ///
    /// # Panics
    /// When a thread of the recording has.
    #[must_use]
    pub fn ended(&self) -> BTreeSet<String> {
        let seen = self.seen.lock().unwrap();
        seen.jobs.values().filter(|job| job.ended.is_some()).map(|job| job.name.clone()).collect()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that broke off has said so.
            let _ = thread.join();
        }
    }
}

fn follow(port: u16, path: &str, seen: &Mutex<Seen>, ended: &AtomicBool) {
    let client = crate::http::Client::new(port);
    let mut version: Option<String> = None;
    let mut begun = false;
    while !ended.load(Ordering::Relaxed) {
        let Some(from) = version.clone() else {
            // The newest state: a watch from it misses nothing that comes later.
            if let Ok(text) = client.call("GET", path, None).text() {
                let list: Value = serde_json::from_str(&text).unwrap_or_default();
                version = list["metadata"]["resourceVersion"].as_str().map(str::to_owned);
                let mut seen = seen.lock().unwrap();
                seen.gaps += u64::from(begun);
                begun = true;
                // What went away in between shows no more.
                seen.pods.values_mut().for_each(|pod| pod.is_tracked &= !path.ends_with("/pods"));
                crate::items(list).iter().for_each(|object| seen.take_in(object));
            } else {
                thread::sleep(Duration::from_millis(100));
            }
            continue;
        };
        version = watch(
            port,
            &format!("{path}?watch=1&allowWatchBookmarks=true&resourceVersion={from}"),
            seen,
            ended,
        )
        .unwrap_or(Some(from));
        thread::sleep(Duration::from_millis(50));
    }
}

/// Watches until the connection ends; how far it came, or `None` when it must begin again from a list.
fn watch(port: u16, path: &str, seen: &Mutex<Seen>, ended: &AtomicBool) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())?;
    let from = path.rsplit('=').next().map(str::to_owned);
    let (mut reader, mut line, mut version) = (BufReader::new(stream), Vec::new(), from);
    while !ended.load(Ordering::Relaxed) {
        match reader.read_until(b'\n', &mut line) {
            Ok(_) if line.is_empty() => break,
            // A line that is cut short is none.
            Ok(_) => {
                let event: Value = serde_json::from_slice(&line).unwrap_or_default();
                line.clear();
                if event["code"] == 410 {
                    return Ok(None);
                }
                let object = &event["object"];
                match event["type"].as_str() {
                    Some("ERROR") => return Ok(None),
                    Some("ADDED" | "MODIFIED") => seen.lock().unwrap().take_in(object),
                    Some("DELETED") => seen.lock().unwrap().gone(object),
                    Some("BOOKMARK") => {}
                    // A line of the head.
                    _ => continue,
                }
                version = object["metadata"]["resourceVersion"].as_str().map(str::to_owned).or(version);
            }
            // What was read of a line stays in `line`.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    Ok(version)
}

impl Seen {
    /// Takes in a version of an object.
    fn take_in(&mut self, object: &Value) {
        // Items of lists do not say what they are; only Pods have containers.
        if object["spec"]["containers"].is_array() { self.pod(object) } else { self.job(object) }
    }

    /// An object is gone. It comes as it was before the last finalizer went.
    fn gone(&mut self, object: &Value) {
        self.take_in(object);
        if let Some(story) = self.pods.get_mut(&crate::text(&object["metadata"]["uid"])) {
            story.is_tracked = false;
        }
    }

    fn pod(&mut self, pod: &Value) {
        let metadata = &pod["metadata"];
        let version = metadata["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let story = self.pods.entry(crate::text(&metadata["uid"])).or_default();
        if story.created == 0 {
            story.created = version;
            story.name = crate::text(&metadata["name"]);
            story.owner = crate::text(&metadata["ownerReferences"][0]["uid"]);
            let index = &metadata["annotations"]["batch.kubernetes.io/job-completion-index"];
            story.index = index.as_str().map(str::to_owned);
        }
        if pod["status"]["phase"] == "Succeeded" && story.succeeded.is_none() {
            story.succeeded = Some(version);
        }
        let finalizers = metadata["finalizers"].as_array();
        story.is_tracked =
            finalizers.is_some_and(|list| list.iter().any(|one| one == "batch.kubernetes.io/job-tracking"));
    }

    fn job(&mut self, job: &Value) {
        let (status, name) = (&job["status"], crate::text(&job["metadata"]["name"]));
        let story = self.jobs.entry(crate::text(&job["metadata"]["uid"])).or_default();
        story.name.clone_from(&name);
        for (place, kind) in ["succeeded", "failed"].into_iter().enumerate() {
            let listed = status["uncountedTerminatedPods"][kind].as_array().into_iter().flatten();
            let now: BTreeSet<String> = listed.map(crate::text).collect();
            for uid in now.difference(&story.now[place]) {
                if !story.listed[place].insert(uid.clone()) || story.listed[1 - place].contains(uid) {
                    self.wrong.push(format!("job/{name}: Pod {uid} is counted twice ({kind})"));
                }
            }
            story.now[place] = now;
            let count = |status: &Value| status[kind].as_i64().unwrap_or(0);
            if count(status) < count(&story.status) {
                self.wrong.push(format!("job/{name}: {kind} went down to {}", count(status)));
            }
        }
        story.status = status.clone();
        let ends = ["Complete", "Failed"].into_iter().filter(|end| crate::has_condition(job, end));
        let ends: Vec<(String, String)> = ends
            .filter_map(|end| Some((end.to_owned(), crate::text(&crate::condition(job, end)?["reason"]))))
            .collect();
        match (&story.ended, ends.first()) {
            (Some(before), now) if now != Some(before) => {
                self.wrong.push(format!("job/{name} has ended as {before:?}, then as {now:?}"));
            }
            (None, Some(now)) => story.ended = Some(now.clone()),
            _ => {}
        }
    }

    /// How many indexes of a Job have a Pod that has succeeded.
    #[must_use]
    pub fn indexes_succeeded(&self, job: &str) -> i64 {
        let pods = self.pods.values().filter(|pod| pod.owner == job && pod.succeeded.is_some());
        pods.filter_map(|pod| pod.index.as_deref()).collect::<BTreeSet<_>>().len() as i64
    }

    /// Indexes of which a Pod was created after another had succeeded.
    #[must_use]
    pub fn indexes_run_again(&self) -> Vec<String> {
        let mut first: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let indexed = || self.pods.values().filter_map(|pod| Some((pod, pod.index.as_deref()?)));
        for (pod, index) in indexed() {
            if let Some(at) = pod.succeeded {
                let earliest = first.entry((&pod.owner, index)).or_insert(at);
                *earliest = at.min(*earliest);
            }
        }
        let again = indexed().filter(|(pod, index)| {
            first.get(&(pod.owner.as_str(), *index)).is_some_and(|at| pod.created > *at)
        });
        again.map(|(pod, index)| format!("{} runs index {index} again", pod.name)).collect()
    }
}
