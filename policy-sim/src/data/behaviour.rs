//! Which script a container runs.

use super::program::{Program, compile};
use super::queues::Queue;
use super::script::Process;
use super::{PodRun, command};
use crate::World;
use crate::config::{Behaviour, Match};
use crate::object::{Pod, PodId};
use std::collections::BTreeMap;

/// All behaviours of a configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviours {
    list: Vec<Compiled>,
    /// Whether any of them asks how many Pods came before.
    pub(super) count_attempts: bool,
    /// What commands do that no behaviour matches.
    commands: BTreeMap<Vec<String>, Program>,
}

#[derive(Clone, Debug)]
struct Compiled {
    matches: Match,
    indexes: Option<Vec<(i64, i64)>>,
    program: Program,
    on_term: Option<i32>,
    ready_after_millis: u64,
}

impl Behaviours {
    pub(super) fn compile(list: &[Behaviour], queues: &mut Vec<Queue>) -> Self {
        let counts = |b: &Behaviour| b.matches.attempts.is_some() || b.matches.probability.is_some();
        let compiled = list.iter().map(|behaviour| Compiled {
            matches: behaviour.matches.clone(),
            indexes: behaviour.matches.indexes.as_deref().map(ranges),
            program: compile(&behaviour.script, queues),
            on_term: behaviour.on_term,
            ready_after_millis: behaviour.ready_after_millis,
        });
        Behaviours {
            list: compiled.collect(),
            count_attempts: list.iter().any(counts),
            commands: BTreeMap::new(),
        }
    }
}

/// `0,2-4` as ranges; what is not a number selects nothing.
fn ranges(text: &str) -> Vec<(i64, i64)> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    };
    text.split(',').filter_map(range).collect()
}

/// Whether a name is the pattern, or begins with it when it ends with `*`.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

/// The name of the Job that controls a Pod.
pub(super) fn job_name(pod: &Pod) -> Option<&str> {
    let owner = pod.owners.iter().find(|owner| owner.controller == Some(true) && owner.kind == "Job");
    owner.map(|owner| owner.name.as_str())
}

/// The process of a container that starts.
pub(super) fn choose(world: &mut World, id: PodId, container: usize) -> Option<Process> {
    let pod = world.store.pod(id)?;
    let run = world.data.runs.get(&id)?;
    let seed = world.config.seed;
    let list = &world.data.behaviours.list;
    let found = list.iter().enumerate().find(|(place, b)| b.matches(*place, seed, pod, run, container));
    if let Some((_, behaviour)) = found {
        let program = behaviour.program.clone();
        return Some(Process::new(program, behaviour.on_term, behaviour.ready_after_millis));
    }
    let words = &run.plan.containers.get(container)?.command;
    if let Some(program) = world.data.behaviours.commands.get(words) {
        return Some(Process::new(program.clone(), None, 0));
    }
    let words = words.clone();
    let program = compile(&command::script(&words), &mut Vec::new());
    world.data.behaviours.commands.insert(words, program.clone());
    Some(Process::new(program, None, 0))
}

impl Compiled {
    fn matches(&self, place: usize, seed: u64, pod: &Pod, run: &PodRun, container: usize) -> bool {
        let rule = &self.matches;
        let name = pod.base.containers.get(container).map(|spec| &*spec.name);
        let starts = run.containers.get(container).map_or(0, |c| c.starts);
        let job = job_name(pod);
        rule.job.as_deref().is_none_or(|pattern| job.is_some_and(|job| glob(pattern, job)))
            && rule.pod.as_deref().is_none_or(|pattern| glob(pattern, &pod.name))
            && rule.container.as_deref().is_none_or(|wanted| name == Some(wanted))
            && self.indexes.as_ref().is_none_or(|ranges| {
                pod.index.is_some_and(|index| ranges.iter().any(|(from, to)| (*from..=*to).contains(&index)))
            })
            && rule.attempts.as_ref().is_none_or(|attempts| attempts.contains(&run.attempt))
            && rule.starts.as_ref().is_none_or(|wanted| wanted.contains(&starts))
            && rule.probability.is_none_or(|p| chance(place, seed, pod, run.attempt) < p)
    }
}

/// A number from 0 to 1 that depends on nothing but the seed, the rule, and which Pod of which Job it is: two policies
/// that are compared meet the same luck.
fn chance(place: usize, seed: u64, pod: &Pod, attempt: u32) -> f64 {
    let name = job_name(pod).unwrap_or(&pod.name);
    let key = format!("{seed}/{place}/{}/{name}/{:?}/{attempt}", pod.namespace, pod.index);
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    fastrand::Rng::with_seed(hash).f64()
}
