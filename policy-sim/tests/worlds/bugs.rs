//! The planted bugs, each with the checkers that have to do with it.

use super::checks::Check::{
    Backoff, CauseIgnored, CountedNever, CountedTwice, CountedWrongly, EndIsFinal, EndTooEarly,
    FailedDecreases, FinalizerLeft, IndexChoice, IndexRunAgain, NeverEnds, Ownership, Parallelism,
    ReadyExceedsActive, StartTime, StatusRefused, StatusStale, SucceededDecreases, SuspendedRuns,
};
use super::plant::Bug;
use policy_core::job::{Action, Call, Claim, Phase, PodFacts};
use policy_core::spec::{Condition, Job, JobStatus, condition};
use policy_core::step::{CallErrorKind, Outcome};
use policy_core::{NANOS_PER_SECOND, Timestamp};

/// Changes the status that a call writes.
fn status(call: &mut Call, change: impl FnOnce(&mut JobStatus)) {
    if let Call::WriteStatus(status) = call {
        change(status);
    }
}

fn forget_action(pods: &mut [PodFacts], action: Action) {
    let matches = |pod: &&mut PodFacts| pod.policy_match.as_ref().is_some_and(|found| found.action == action);
    pods.iter_mut().filter(matches).for_each(|pod| pod.policy_match = None);
}

fn reclaim(pods: &mut [PodFacts], from: Claim, to: Claim) {
    pods.iter_mut().filter(|pod| pod.claim == from).for_each(|pod| pod.claim = to);
}

fn ends(job: &Job) -> bool {
    !job.status.conditions.iter().all(|condition| condition.kind == condition::SUSPENDED)
}

fn is_conflict(outcome: &Outcome) -> bool {
    outcome.error().is_some_and(|error| error.kind == CallErrorKind::Conflict)
}

const COUNTING: &[Bug] = &[
    Bug {
        name: "uncounted Pods are counted and stay listed",
        found_by: &[CountedTwice],
        call: |_, call| {
            status(call, |status| {
                status.failed +=
                    status.uncounted_terminated_pods.as_ref().map_or(0, |lists| lists.failed.len() as i32);
            });
        },
        ..Bug::NONE
    },
    Bug {
        name: "uncounted Pods are forgotten before they are counted",
        found_by: &[CountedNever],
        call: |_, call| status(call, |status| status.uncounted_terminated_pods = Some(Default::default())),
        ..Bug::NONE
    },
    Bug {
        name: "finalizers stay",
        // A Pod that keeps its finalizer looks uncounted once nobody remembers that it was removed.
        found_by: &[FinalizerLeft, CountedTwice],
        skips: |_, call| matches!(call, Call::RemoveFinalizer(_)),
        ..Bug::NONE
    },
    Bug {
        name: "a finalizer goes before its Pod is counted",
        found_by: &[CountedNever],
        extra: |view, _| {
            let ended = view.pods.iter().filter(|pod| pod.is_terminal() && pod.has_finalizer);
            ended.map(|pod| Call::RemoveFinalizer(pod.pod.clone())).collect()
        },
        ..Bug::NONE
    },
    Bug {
        name: "removed finalizers are not awaited",
        found_by: &[CountedTwice],
        expect: |expect| expect.finalizer_removals = false,
        ..Bug::NONE
    },
    Bug {
        name: "a conflict is taken for success",
        found_by: &[CountedNever, CountedTwice],
        outcome: |call, outcome| {
            if matches!(call, Call::WriteStatus(_)) && is_conflict(outcome) {
                *outcome = Outcome::done();
            }
        },
        ..Bug::NONE
    },
    Bug {
        name: "the status is written over whatever is there",
        // The API server notices when an older status takes back what only may go forward.
        found_by: &[
            CountedTwice,
            CountedNever,
            SucceededDecreases,
            FailedDecreases,
            StartTime,
            StatusRefused,
        ],
        config: |config| {
            config.controller.overwrites_status = true;
            config.controller.waits_for_own_writes = false;
        },
        ..Bug::NONE
    },
    Bug {
        name: "failures are listed as successes",
        found_by: &[CountedWrongly],
        call: |_, call| {
            status(call, |status| {
                if let Some(lists) = &mut status.uncounted_terminated_pods {
                    std::mem::swap(&mut lists.succeeded, &mut lists.failed);
                }
            });
        },
        ..Bug::NONE
    },
    Bug {
        name: "running Pods count as succeeded",
        found_by: &[CountedWrongly],
        view: |_, pods| {
            pods.iter_mut().filter(|pod| pod.ready).for_each(|pod| pod.phase = Phase::Succeeded);
        },
        ..Bug::NONE
    },
    Bug {
        name: "ignored failures are counted",
        found_by: &[CountedWrongly],
        view: |_, pods| forget_action(pods, Action::Ignore),
        ..Bug::NONE
    },
    Bug {
        name: "terminating Pods count as failed in spite of podReplacementPolicy",
        found_by: &[CountedWrongly],
        view: |job, _| job.spec.pod_replacement_policy = Some("TerminatingOrFailed".into()),
        ..Bug::NONE
    },
];

const ENDING: &[Bug] = &[
    Bug {
        name: "a FailJob rule is passed over",
        found_by: &[CauseIgnored],
        view: |_, pods| forget_action(pods, Action::FailJob),
        ..Bug::NONE
    },
    Bug {
        name: "the deadline is passed over",
        found_by: &[CauseIgnored],
        view: |job, _| job.spec.active_deadline_seconds = None,
        ..Bug::NONE
    },
    Bug {
        name: "the back-off limit is passed over",
        found_by: &[CauseIgnored, Backoff],
        view: |job, _| job.spec.backoff_limit = Some(i32::MAX),
        ..Bug::NONE
    },
    Bug {
        name: "the limit of an index is passed over",
        found_by: &[Backoff],
        view: |job, _| job.spec.backoff_limit_per_index = job.spec.backoff_limit_per_index.map(|_| i32::MAX),
        ..Bug::NONE
    },
    Bug {
        name: "the back-off is not waited for",
        found_by: &[Backoff],
        view: |_, pods| pods.iter_mut().for_each(|pod| pod.finished_at = Timestamp::ZERO),
        memory: |memory| memory.backoff = None,
        ..Bug::NONE
    },
    Bug {
        name: "the Job completes with Pods uncounted",
        found_by: &[EndTooEarly],
        call: |_, call| {
            status(call, |status| {
                let met = status.condition(condition::SUCCESS_CRITERIA_MET).cloned();
                if let Some(met) = met.filter(|_| status.condition(condition::COMPLETE).is_none()) {
                    status.completion_time = met.last_transition_time;
                    status.conditions.push(Condition { kind: condition::COMPLETE.into(), ..met });
                }
            });
        },
        ..Bug::NONE
    },
    Bug {
        name: "the announcement of the end is lost",
        found_by: &[EndIsFinal, EndTooEarly],
        call: |job, call| {
            if ends(job) {
                let announces = |condition: &Condition| {
                    [condition::SUCCESS_CRITERIA_MET, condition::FAILURE_TARGET]
                        .contains(&condition.kind.as_str())
                };
                status(call, |status| status.conditions.retain(|condition| !announces(condition)));
            }
        },
        ..Bug::NONE
    },
    Bug {
        name: "the Job ends and its Pods run on",
        found_by: &[CauseIgnored],
        skips: |job, call| matches!(call, Call::DeletePod(_)) && !job.spec.is_suspended(),
        ..Bug::NONE
    },
    Bug {
        name: "success is taken back",
        found_by: &[SucceededDecreases, CountedNever, CountedWrongly],
        call: |job, call| {
            status(call, |status| {
                if job.status.succeeded == status.succeeded && status.succeeded > 0 {
                    status.succeeded -= 1;
                }
            });
        },
        ..Bug::NONE
    },
];

const RUNNING: &[Bug] = &[
    Bug {
        name: "created Pods are not awaited",
        found_by: &[Parallelism],
        expect: |expect| expect.creations = expect.creations.map(|_| 0),
        ..Bug::NONE
    },
    Bug { name: "what the watch shows lowers nothing", found_by: &[NeverEnds], observes: false, ..Bug::NONE },
    Bug {
        name: "one deletion too many is awaited",
        found_by: &[NeverEnds],
        expect: |expect| expect.deletions = expect.deletions.map(|count| count + 1),
        ..Bug::NONE
    },
    Bug {
        name: "surplus Pods are not deleted",
        found_by: &[Parallelism],
        view: |job, pods| {
            let active = pods.iter().filter(|pod| pod.is_active()).count() as i32;
            job.spec.parallelism = job.spec.parallelism.map(|count| count.max(active));
        },
        ..Bug::NONE
    },
    Bug {
        name: "one Pod too many is wanted",
        found_by: &[Parallelism],
        view: |job, _| job.spec.parallelism = job.spec.parallelism.map(|count| count + 1),
        ..Bug::NONE
    },
    Bug {
        name: "suspension is passed over",
        found_by: &[SuspendedRuns],
        view: |job, _| job.spec.suspend = Some(false),
        ..Bug::NONE
    },
    Bug {
        name: "suspended Pods run on",
        found_by: &[SuspendedRuns, CountedNever],
        skips: |job, call| matches!(call, Call::DeletePod(_)) && job.spec.is_suspended(),
        ..Bug::NONE
    },
    Bug {
        name: "a done index is forgotten",
        found_by: &[IndexRunAgain, SucceededDecreases],
        view: |job, pods| {
            if job.spec.is_indexed() {
                job.status.completed_indexes.clear();
                pods.retain(|pod| pod.phase != Phase::Succeeded);
            }
        },
        ..Bug::NONE
    },
    Bug {
        name: "the next index but one is created",
        found_by: &[IndexChoice],
        call: |_, call| {
            if let Call::CreatePod(create) = call {
                create.index = create.index.map(|index| index + 1);
            }
        },
        ..Bug::NONE
    },
    Bug {
        name: "an orphan is not adopted",
        // It would have been one of the Pods that are wanted.
        found_by: &[Ownership, Parallelism],
        view: |_, pods| reclaim(pods, Claim::Orphan, Claim::Foreign),
        ..Bug::NONE
    },
    Bug {
        name: "a Pod that is not selected any more is kept",
        found_by: &[Ownership],
        view: |_, pods| reclaim(pods, Claim::NotSelected, Claim::Owned),
        ..Bug::NONE
    },
    Bug {
        name: "spec.managedBy is passed over",
        found_by: &[Ownership],
        view: |job, _| job.spec.managed_by = None,
        ..Bug::NONE
    },
    Bug {
        name: "ready is not kept up to date",
        // The status is written again and again.
        found_by: &[StatusStale, ReadyExceedsActive, NeverEnds],
        call: |job, call| {
            status(call, |status| status.ready = job.status.ready.map(|ready| ready.min(status.active)))
        },
        ..Bug::NONE
    },
    Bug {
        name: "the start time moves",
        found_by: &[StartTime],
        call: |_, call| {
            status(call, |status| {
                status.start_time = status.start_time.map(|time| time.plus_nanos(NANOS_PER_SECOND));
            });
        },
        ..Bug::NONE
    },
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Bug> {
    [COUNTING, ENDING, RUNNING].into_iter().flatten().copied()
}
