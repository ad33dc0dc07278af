//! Scripts as flat lists of instructions, so that a container's place in one is a number.

use super::queues::Queue;
use crate::config::{Act, QueueKind};
use std::sync::Arc;

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// Works for so many milliseconds.
    Run(u64),
    /// Works for a number of milliseconds between these.
    RunBetween(u64, u64),
    /// Prints a line.
    Print(String),
    /// Ends.
    Exit(i32),
    /// Ends with one of these exit codes, by weight.
    ExitOneOf(Vec<(i32, f64)>),
    /// Is killed for using too much memory.
    OomKill,
    /// Runs for ever.
    Block,
    /// Waits until the name resolves and answers.
    WaitForDns(String),
    /// Takes a message, waiting for one.
    Take(usize),
    /// Acknowledges the message that was taken.
    Ack,
    /// A worker of a list begins: it prints its session.
    Session(usize),
    /// Leases an item, or goes to `end` when both lists are empty.
    Lease { queue: usize, lease_millis: u64, block_millis: u64, end: usize },
    /// Completes the item that was leased, and goes to `top`.
    Complete { top: usize },
}

/// A script ready to be run.
pub(super) type Program = Arc<[Op]>;

/// Flattens a script. Queues that are named for the first time are added, empty.
pub(super) fn compile(script: &[Act], queues: &mut Vec<Queue>) -> Program {
    let mut ops = Vec::new();
    add(script, queues, &mut ops);
    ops.into()
}

fn add(script: &[Act], queues: &mut Vec<Queue>, ops: &mut Vec<Op>) {
    for act in script {
        match act {
            Act::Run(millis) => ops.push(Op::Run(*millis)),
            Act::Print(text) => ops.push(Op::Print(text.clone())),
            Act::RunBetween(least, most) => ops.push(Op::RunBetween(*least, *most)),
            Act::Exit(code) => ops.push(Op::Exit(*code)),
            Act::ExitOneOf(codes) => ops.push(Op::ExitOneOf(codes.clone())),
            Act::OomKill => ops.push(Op::OomKill),
            Act::Block => ops.push(Op::Block),
            Act::WaitForDns(names) => ops.extend(names.iter().cloned().map(Op::WaitForDns)),
            Act::Consume { queue, work, ack_first } => {
                ops.push(Op::Take(Queue::index(queues, queue, QueueKind::Amqp)));
                if *ack_first {
                    ops.push(Op::Ack);
                }
                add(work, queues, ops);
                if !ack_first {
                    ops.push(Op::Ack);
                }
            }
            Act::WorkList { queue, lease_millis, block_millis, work } => {
                let queue = Queue::index(queues, queue, QueueKind::Redis);
                ops.push(Op::Session(queue));
                let top = ops.len();
                let (lease_millis, block_millis) = (*lease_millis, *block_millis);
                ops.push(Op::Lease { queue, lease_millis, block_millis, end: 0 });
                add(work, queues, ops);
                ops.push(Op::Complete { top });
                let after = ops.len();
                if let Some(Op::Lease { end, .. }) = ops.get_mut(top) {
                    *end = after;
                }
                ops.push(Op::Print("Queue empty, exiting".into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_know_their_end() {
        let work = vec![Act::Run(1)];
        let list = Act::WorkList { queue: "redis/job2".into(), lease_millis: 2, block_millis: 3, work };
        let program = compile(&[list, Act::Exit(0)], &mut Vec::new());
        assert_eq!(program[1], Op::Lease { queue: 0, lease_millis: 2, block_millis: 3, end: 4 });
        assert_eq!(program[3], Op::Complete { top: 1 });
        assert_eq!(program[4], Op::Print("Queue empty, exiting".into()));
    }
}
