//! Events about Jobs and CronJobs, written and thinned out as client-go's recorder does.

use super::api::{Api, Call};
use super::clock::Clock;
use correlate::{Correlator, Verdict};
use policy_core::Timestamp;
use policy_core::step::Event;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

mod correlate;

/// How many events may wait to be written; more are dropped, as client-go does.
const WAITING_EVENTS: usize = 1000;
/// How often a write that was not answered is tried (client-go `maxTriesPerEvent`), and the wait between.
const TRIES: u32 = 12;
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// The object that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) kind: &'static str,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: String,
    pub(super) resource_version: String,
}

/// An event on its way.
#[derive(Clone, Debug)]
struct Recorded {
    component: &'static str,
    subject: Subject,
    event: Event,
    at: Timestamp,
}

/// What the writing task is told.
#[derive(Debug)]
enum Message {
    Event(Box<Recorded>),
    /// Answer when everything before is written or given up.
    Flush(oneshot::Sender<()>),
}

/// Takes events; a task writes them one after the other.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    sender: mpsc::Sender<Message>,
    clock: Clock,
    dry_run: bool,
}

impl Recorder {
    /// A recorder and the task that writes.
    pub(super) fn start(api: Api, clock: Clock, dry_run: bool) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_EVENTS);
        tokio::spawn(write_all(api, receiver));
        Recorder { sender, clock, dry_run }
    }

    /// Waits until the events that were published so far are written or given up.
    pub(super) async fn flush(&self) {
        let (written, answer) = oneshot::channel();
        if self.sender.send(Message::Flush(written)).await.is_ok() {
            // Without an answer the task has ended, and nothing is left to wait for.
            let _ = answer.await;
        }
    }

    /// Publishes events about an object.
    pub(super) fn publish(
        &self,
        component: &'static str,
        subject: &Subject,
        events: impl IntoIterator<Item = Event>,
    ) {
        for event in events {
            let (namespace, name) = (&subject.namespace, &subject.name);
            tracing::info!(object = %format_args!("{}/{namespace}/{name}", subject.kind), reason = event.reason,
                "{}", event.message);
            if self.dry_run {
                continue;
            }
            let recorded = Recorded { component, subject: subject.clone(), event, at: self.clock.wall() };
            if let Err(error) = self.sender.try_send(Message::Event(Box::new(recorded))) {
                tracing::warn!("an event is dropped: {error}");
            }
        }
    }
}

async fn write_all(api: Api, mut receiver: mpsc::Receiver<Message>) {
    let mut correlator = Correlator::default();
    while let Some(message) = receiver.recv().await {
        let recorded = match message {
            Message::Event(recorded) => recorded,
            Message::Flush(written) => {
                // Who asked may have stopped waiting.
                let _ = written.send(());
                continue;
            }
        };
        match correlator.look(&recorded) {
            Verdict::Dropped => {
                tracing::debug!(reason = recorded.event.reason, "too many events about one object");
            }
            Verdict::New { key, message } => {
                if let Some(name) = create(&api, &recorded, &message).await {
                    correlator.created(*key, name, recorded.at);
                }
            }
            Verdict::Again { key, name, message, count } => {
                if !repeat(&api, &recorded, &name, &message, count).await
                    && let Some(name) = create(&api, &recorded, &message).await
                {
                    correlator.created(*key, name, recorded.at);
                }
            }
        }
    }
}

/// Creates an event; its name if that went well.
async fn create(api: &Api, recorded: &Recorded, message: &str) -> Option<String> {
    // As client-go: the object's name and the time, so that no name is used twice.
    let nanos =
        i128::from(recorded.at.unix_seconds()) * 1_000_000_000 + i128::from(recorded.at.subsec_nanos());
    let name = format!("{}.{nanos:x}", recorded.subject.name);
    let path = format!("/api/v1/namespaces/{}/events", recorded.subject.namespace);
    let call = Call::post(path, body(recorded, &name, message).to_string().into_bytes()).for_metadata();
    for attempt in 1..=TRIES {
        match api.call(&call).await {
            Ok(_) => return Some(name),
            Err(error) if error.code == 0 && attempt < TRIES => {
                tracing::debug!(%error, "an event is not written yet");
                tokio::time::sleep(RETRY_DELAY).await;
            }
            Err(error) => {
                // The namespace of a deleted Job may be on its way out; events are not worth more.
                tracing::warn!(reason = recorded.event.reason, %error, "an event is not written");
                return None;
            }
        }
    }
    None
}

fn body(recorded: &Recorded, name: &str, message: &str) -> Value {
    let (subject, event) = (&recorded.subject, &recorded.event);
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": &*subject.namespace},
        "involvedObject": {
            "apiVersion": "batch/v1",
            "kind": subject.kind,
            "namespace": &*subject.namespace,
            "name": &*subject.name,
            "uid": subject.uid,
            "resourceVersion": subject.resource_version,
        },
        "type": event.kind,
        "reason": event.reason,
        "message": message,
        "source": {"component": recorded.component},
        "reportingComponent": recorded.component,
        "reportingInstance": "",
        "firstTimestamp": recorded.at,
        "lastTimestamp": recorded.at,
        "count": 1,
    })
}

/// Counts an event up; `false` if it is gone and has to be created anew.
async fn repeat(api: &Api, recorded: &Recorded, name: &str, message: &str, count: u32) -> bool {
    let path = format!("/api/v1/namespaces/{}/events/{name}", recorded.subject.namespace);
    let patch = json!({"count": count, "lastTimestamp": recorded.at, "message": message});
    match api.call(&Call::patch(path, patch.to_string().into_bytes()).for_metadata()).await {
        Ok(_) => true,
        Err(error) if error.is_not_found() => false,
        Err(error) => {
            tracing::warn!(reason = recorded.event.reason, %error, "an event is not written");
            true
        }
    }
}
