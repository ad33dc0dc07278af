//! What runs in containers: a script's instructions, one after the other on the virtual clock.

use super::nodes::millis;
use super::program::{Op, Program};
use super::queues::{self, Held};
use super::{Due, Of, dns, env, kubelet};
use crate::World;
use std::sync::Arc;

/// A process in a container.
#[derive(Clone, Debug)]
pub(super) struct Process {
    program: Program,
    place: usize,
    held: Option<Held>,
    /// The item that was taken last.
    item: Option<Arc<str>>,
    /// The list on which it waits for an item, with a time-out.
    blocked_on: Option<usize>,
    on_term: Option<i32>,
    ready_after_millis: u64,
}

impl Process {
    pub(super) fn new(program: Program, on_term: Option<i32>, ready_after_millis: u64) -> Self {
        Process { program, place: 0, held: None, item: None, blocked_on: None, on_term, ready_after_millis }
    }

    /// The exit code with which it heeds SIGTERM, if it does.
    pub(super) fn on_term(&self) -> Option<i32> {
        self.on_term
    }

    /// The instruction that it is at.
    pub(super) fn op(&self) -> Option<&Op> {
        self.program.get(self.place)
    }

    pub(super) fn ready_after_millis(&self) -> u64 {
        self.ready_after_millis
    }
}

/// Whether the process goes on at once.
enum Flow {
    On,
    Waits,
}

/// A pause is over.
pub(super) fn wake(world: &mut World, of: Of) {
    let Some(process) = process(world, of) else { return };
    if let Some(queue) = process.blocked_on.take() {
        queues::wait_no_more(world, of, queue);
        print(world, of, "Waiting for work");
    }
    go_on(world, of);
}

/// Runs a process until it waits or ends.
pub(super) fn go_on(world: &mut World, of: Of) {
    while let Some(process) = process(world, of) {
        let (program, place) = (process.program.clone(), process.place);
        let Some(op) = program.get(place) else { return kubelet::exit(world, of, 0, "Completed") };
        if matches!(step(world, of, op), Flow::Waits) {
            return;
        }
    }
}

fn process(world: &mut World, of: Of) -> Option<&mut Process> {
    world.data.container_at(of)?.process.as_deref_mut()
}

fn advance(world: &mut World, of: Of) {
    if let Some(process) = process(world, of) {
        process.place += 1;
    }
}

fn step(world: &mut World, of: Of, op: &Op) -> Flow {
    match op {
        Op::Run(run_millis) => {
            advance(world, of);
            sleep(world, of, *run_millis);
            Flow::Waits
        }
        Op::Print(text) => {
            advance(world, of);
            print(world, of, text);
            Flow::On
        }
        Op::RunBetween(least, most) => {
            let run_millis = world.rng.u64(*least..=(*most).max(*least));
            advance(world, of);
            sleep(world, of, run_millis);
            Flow::Waits
        }
        Op::Exit(code) => {
            end(world, of, *code);
            Flow::Waits
        }
        Op::ExitOneOf(codes) => {
            let code = one_of(codes, world.rng.f64());
            end(world, of, code);
            Flow::Waits
        }
        Op::OomKill => {
            kubelet::exit(world, of, 137, "OOMKilled");
            Flow::Waits
        }
        Op::Block => Flow::Waits,
        Op::WaitForDns(name) => wait_for_name(world, of, name),
        Op::Take(queue) => match queues::take_or_wait(world, of, *queue) {
            Some(held) => hold(world, of, held),
            None => Flow::Waits,
        },
        Op::Ack => {
            advance(world, of);
            finish(world, of);
            Flow::On
        }
        Op::Session(queue) => begin_session(world, of, *queue),
        Op::Lease { queue, block_millis, end, .. } => lease(world, of, *queue, *block_millis, *end),
        Op::Complete { top } => {
            finish(world, of);
            if let Some(process) = process(world, of) {
                process.place = *top;
            }
            Flow::On
        }
    }
}

fn sleep(world: &mut World, of: Of, run_millis: u64) {
    world.plan_data(world.now.plus_nanos(millis(run_millis)), Due::Wake(of));
}

/// The command ends: with success it has done its message, which is acknowledged.
fn end(world: &mut World, of: Of, code: i32) {
    if code == 0 {
        finish(world, of);
    }
    kubelet::exit(world, of, code, kubelet::exit_reason(code));
}

/// The exit code that a number from 0 to 1 stands for; 0 where there is none to choose.
fn one_of(codes: &[(i32, f64)], luck: f64) -> i32 {
    let mut left = luck * codes.iter().map(|(_, weight)| weight).sum::<f64>();
    for (code, weight) in codes {
        if left < *weight {
            return *code;
        }
        left -= weight;
    }
    // What rounding has left over belongs to the last code that can be.
    codes.iter().rev().find(|(_, weight)| *weight > 0.0).map_or(0, |(code, _)| *code)
}

fn finish(world: &mut World, of: Of) {
    if let Some(held) = process(world, of).and_then(|process| process.held.take()) {
        queues::finish(world, &held);
    }
}

/// Takes what was received into the hands of the process.
fn hold(world: &mut World, of: Of, held: Held) -> Flow {
    if let Some(process) = process(world, of) {
        process.item = Some(held.item.text.clone());
        process.held = Some(held);
        process.place += 1;
    }
    Flow::On
}

/// A queue has something for a process that waits.
pub(super) fn served(world: &mut World, of: Of, held: Held) {
    let Some(process) = process(world, of) else { return };
    process.blocked_on = None;
    match process.program.get(process.place).cloned() {
        Some(Op::Lease { lease_millis, .. }) => work_on(world, of, held, lease_millis),
        _ => {
            hold(world, of, held);
        }
    }
    go_on(world, of);
}

/// Asks for a name, once a second until it answers.
fn wait_for_name(world: &mut World, of: Of, name: &str) -> Flow {
    let name = env::expand(world, of, name);
    if dns::answers(world, of.pod, &name) {
        advance(world, of);
        print(world, of, &format!("Successfully pinged pod: {name}"));
        return Flow::On;
    }
    print(world, of, &format!("Failed to ping pod {name}, retrying in 1 second..."));
    sleep(world, of, 1_000);
    Flow::Waits
}

fn begin_session(world: &mut World, of: Of, queue: usize) -> Flow {
    let id = uuid(&mut world.rng);
    let empty = world.data.queues.get(queue).is_none_or(queues::Queue::is_empty);
    advance(world, of);
    print(world, of, &format!("Worker with sessionID: {id}"));
    print(
        world,
        of,
        if empty { "Initial queue state: empty=True" } else { "Initial queue state: empty=False" },
    );
    Flow::On
}

/// A random UUID (version 4).
fn uuid(rng: &mut fastrand::Rng) -> String {
    let hex = format!("{:032x}", rng.u128(..));
    let variant = ["8", "9", "a", "b"][rng.u64(..4) as usize];
    format!("{}-{}-4{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn lease(world: &mut World, of: Of, queue: usize, block_millis: u64, end: usize) -> Flow {
    if world.data.queues.get(queue).is_none_or(queues::Queue::is_empty) {
        if let Some(process) = process(world, of) {
            process.place = end;
        }
        return Flow::On;
    }
    if let Some(held) = queues::take_or_wait(world, of, queue) {
        let program = process(world, of).map(|process| (process.program.clone(), process.place));
        let op = program.as_ref().and_then(|(program, place)| program.get(*place));
        if let Some(Op::Lease { lease_millis, .. }) = op {
            work_on(world, of, held, *lease_millis);
        }
        return Flow::On;
    }
    if let Some(process) = process(world, of) {
        process.blocked_on = Some(queue);
    }
    // Without a time-out it blocks until there is something.
    if block_millis > 0 {
        sleep(world, of, block_millis);
    }
    Flow::Waits
}

fn work_on(world: &mut World, of: Of, held: Held, lease_millis: u64) {
    queues::lease(world, &held, lease_millis);
    let line = format!("Working on {}", held.item.text);
    hold(world, of, held);
    print(world, of, &line);
}

/// Prints a line to the Pod's log.
fn print(world: &mut World, of: Of, text: &str) {
    let line = env::expand(world, of, text);
    if let Some(name) = world.store.pod(of.pod).map(|pod| pod.name.clone()) {
        world.record.print(&name, line);
    }
}

/// The item that the container's process took last.
pub(super) fn item(world: &World, of: Of) -> Option<Arc<str>> {
    world.data.run(of.pod)?.containers.get(of.container)?.process.as_ref()?.item.clone()
}

/// A process is gone: it waits for nothing any more, and what it held goes back.
pub(super) fn abandon(world: &mut World, of: Of, process: Process) {
    queues::wait_nowhere(world, of);
    if let Some(held) = &process.held {
        queues::abandon(world, held);
    }
}
