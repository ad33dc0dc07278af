//! Which Pods are the Job's: adopting orphans and releasing what the selector no longer matches.

use super::facts::{Claim, PodFacts};
use super::outcome::SyncError;
use super::sync::Sync;
use super::{Call, JobView, Pods, Stage};
use crate::explain::{Recorder, Rule};
use crate::spec::Job;
use crate::step::{CallErrorKind, Expect, Outcome, Wave};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the first waves have to do, by place in the Pod list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// Whether there are Pods that are not the Job's, or not yet.
    others: bool,
    adopt: Vec<u32>,
    release: Vec<u32>,
    errors: Vec<String>,
    /// Orphans that were not adopted.
    lost: Vec<u32>,
}

impl Claims {
    /// Upstream `ClaimObject`, except that a Job being deleted neither adopts nor releases.
    pub(crate) fn of(pods: Pods<'_>, job_deleting: bool) -> Self {
        let mut claims = Claims::default();
        for (place, pod) in pods.not_owned() {
            claims.others = true;
            match pod.claim {
                _ if job_deleting => break,
                Claim::Orphan if !pod.deleting => claims.adopt.push(place),
                Claim::NotSelected => claims.release.push(place),
                _ => {}
            }
        }
        claims
    }

    /// Whether the Job's own Pods are just those of the view that it owns already.
    pub(crate) fn adopts_nothing(&self) -> bool {
        self.adopt.is_empty()
    }

    /// Whether the view has Pods that are not the Job's.
    pub(crate) fn has_others(&self) -> bool {
        self.others
    }
}

/// The first wave, if Pods are to be adopted or released. Before any adoption the Job is read live, in case it is
/// being deleted (upstream `RecheckDeletionTimestamp`); releases need no read.
pub(crate) fn begin<R: Recorder>(
    view: JobView<'_>,
    sync: &mut Sync,
    claims: Claims,
    rec: &mut R,
) -> Result<(Wave<Call>, Stage), Claims> {
    let mut calls: Vec<Call> =
        places(view.pods, &claims.release).map(|pod| Call::Release(pod.pod.clone())).collect();
    let releases = sync.next_calls(calls.len());
    rec.note_calls(Rule::PodReleased, !releases.is_empty(), releases.clone(), |evidence| {
        evidence.value("own Pods that spec.selector does not match", claims.release.len());
        for pod in places(view.pods, &claims.release) {
            evidence.value(format!("pod/{}.metadata.labels", pod.pod.name()), "not selected");
        }
    });
    if !claims.adopt.is_empty() {
        calls.push(Call::ReadJob);
        rec.note_calls(
            Rule::JobReadBeforeAdopting,
            true,
            releases.end..releases.end.saturating_add(1),
            |evidence| {
                evidence.value("orphans", claims.adopt.len());
            },
        );
    }
    if calls.is_empty() {
        return Err(claims);
    }
    Ok((sync.wave(calls, Expect::default()), Stage::Claim(claims)))
}

/// After the releases and the read: the adoptions, unless the read forbids them.
pub(crate) fn after_read<R: Recorder>(
    view: JobView<'_>,
    sync: &mut Sync,
    mut claims: Claims,
    outcomes: &[Outcome],
    rec: &mut R,
) -> Result<(Wave<Call>, Stage), Claims> {
    let (released, read) = outcomes.split_at_checked(claims.release.len()).unwrap_or((outcomes, &[]));
    claims.errors.extend(release_errors(released));
    if claims.adopt.is_empty() {
        return Err(claims);
    }
    if let Some(why) = read_forbids(view.job, read.first()) {
        for pod in places(view.pods, &claims.adopt) {
            let (namespace, PodFacts { pod, .. }) = (&view.job.metadata.namespace, pod);
            claims.errors.push(format!("can't adopt Pod {namespace}/{} ({}): {why}", pod.name(), pod.uid()));
        }
        return Err(claims);
    }
    let calls: Vec<Call> = places(view.pods, &claims.adopt).map(|pod| Call::Adopt(pod.pod.clone())).collect();
    rec.note_calls(Rule::OrphanAdopted, true, sync.next_calls(calls.len()), |evidence| {
        for pod in places(view.pods, &claims.adopt) {
            evidence.value(format!("pod/{}.metadata.ownerReferences", pod.pod.name()), "no controller");
        }
    });
    Ok((sync.wave(calls, Expect::default()), Stage::Adopt(claims)))
}

/// After the adoptions: those that failed because the Pod is gone are just not claimed; other failures end the sync.
pub(crate) fn after_adopt(mut claims: Claims, outcomes: &[Outcome]) -> Claims {
    for (place, outcome) in claims.adopt.iter().zip(outcomes) {
        let Some(error) = outcome.error() else { continue };
        claims.lost.push(*place);
        if error.kind != CallErrorKind::NotFound {
            claims.errors.push(error.message.clone());
        }
    }
    claims
}

/// The error of claiming.
pub(crate) fn error(claims: &Claims) -> Option<SyncError> {
    let message = match claims.errors.as_slice() {
        [] => return None,
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    Some(SyncError { message })
}

/// The Pods that the Job has claimed as a list, owned ones first as upstream lists them.
///
/// An adopted Pod counts as tracked from here on, unless it names the Job in an owner reference already (upstream
/// `getPodsForJob` takes that for an old owner).
pub(crate) fn claimed(pods: Pods<'_>, claims: &Claims) -> Vec<PodFacts> {
    let owned = pods.iter().filter(|pod| pod.claim == Claim::Owned).cloned();
    let adopted = claims.adopt.iter().filter(|place| !claims.lost.contains(place));
    let adopted = adopted.filter_map(|place| pods.pod(*place)).map(|pod| PodFacts {
        claim: Claim::Owned,
        has_finalizer: pod.has_finalizer || !pod.references_job,
        ..pod.clone()
    });
    owned.chain(adopted).collect()
}

/// Why the live Job forbids adopting, if it does.
fn read_forbids(job: &Job, outcome: Option<&Outcome>) -> Option<String> {
    let meta = &job.metadata;
    match outcome {
        Some(Outcome::Read { uid, .. }) if *uid != meta.uid => Some(format!(
            "can't recheck DeletionTimestamp: original Job {}/{} is gone: got uid {uid}, wanted {}",
            meta.namespace, meta.name, meta.uid
        )),
        Some(Outcome::Read { deletion_timestamp: Some(at), .. }) => {
            Some(format!("{}/{} has just been deleted at {at}", meta.namespace, meta.name))
        }
        Some(Outcome::Failed(error)) => Some(format!("can't recheck DeletionTimestamp: {}", error.message)),
        Some(_) => None,
        None => Some("can't recheck DeletionTimestamp: the Job was not read".into()),
    }
}

fn release_errors(outcomes: &[Outcome]) -> impl Iterator<Item = String> {
    let failed =
        outcomes.iter().filter_map(Outcome::error).filter(|error| error.kind != CallErrorKind::NotFound);
    failed.map(|error| error.message.clone())
}

/// The Pods at these places.
fn places<'p>(pods: Pods<'p>, places: &[u32]) -> impl Iterator<Item = &'p PodFacts> {
    places.iter().filter_map(move |place| pods.pod(*place))
}
