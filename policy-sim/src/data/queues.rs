//! Work queues: acknowledged messages as RabbitMQ has them, and lists with leases as the tutorial's Redis library.

use super::nodes::millis;
use super::{Due, Of, script};
use crate::World;
use crate::config::{Config, QueueConfig, QueueKind};
use crate::map::Map;
use policy_core::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// A queue or list.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    name: String,
    kind: QueueKind,
    reclaim: bool,
    /// What can be taken, in the order in which it was put in.
    ready: VecDeque<Item>,
    /// What has been taken and neither acknowledged nor completed, by number.
    taken: Map<u64, Taken>,
    /// Containers that wait for something to take.
    waiting: VecDeque<Of>,
    leases: u64,
}

/// Something that is in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its place in the order in which items were put in.
    pub(super) number: u64,
    pub(super) text: Arc<str>,
}

#[derive(Clone, Debug)]
struct Taken {
    item: Item,
    lease: u64,
}

/// An item in the hands of a container.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) queue: usize,
    pub(super) item: Item,
    lease: u64,
}

/// A queue as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueView {
    /// Its name.
    pub name: String,
    /// What can be taken.
    pub ready: Vec<Arc<str>>,
    /// Messages that are not acknowledged, or the processing list.
    pub taken: Vec<Arc<str>>,
    /// How many containers wait for something to take.
    pub waiting: usize,
}

/// The queues of a configuration, filled.
pub(super) fn from_config(config: &Config) -> Vec<Queue> {
    config.queues.iter().map(|(name, queue)| Queue::new(name, queue)).collect()
}

impl Queue {
    fn new(name: &str, config: &QueueConfig) -> Self {
        let items = config.items.iter().zip(0..);
        Queue {
            name: name.into(),
            kind: config.kind,
            reclaim: config.reclaim,
            ready: items.map(|(text, number)| Item { number, text: text.as_str().into() }).collect(),
            taken: Map::default(),
            waiting: VecDeque::new(),
            leases: 0,
        }
    }

    /// The place of the queue of that name, which is made if it does not exist.
    pub(super) fn index(queues: &mut Vec<Queue>, name: &str, kind: QueueKind) -> usize {
        queues.iter().position(|queue| queue.name == name).unwrap_or_else(|| {
            queues.push(Queue::new(name, &QueueConfig { kind, items: Vec::new(), reclaim: false }));
            queues.len() - 1
        })
    }

    /// Its name, if the container waits for something to take from it.
    pub(super) fn name_if_waiting(&self, of: Of) -> Option<&str> {
        self.waiting.contains(&of).then_some(&self.name)
    }

    /// Whether the main and the processing list are both empty.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.taken.is_empty()
    }

    /// Takes an item: messages come first in, first out; the library pops a list at its right end.
    fn take(&mut self, index: usize) -> Option<Held> {
        let item = match self.kind {
            QueueKind::Amqp => self.ready.pop_front(),
            QueueKind::Redis => self.ready.pop_back(),
        }?;
        self.leases += 1;
        let lease = self.leases;
        self.taken.insert(item.number, Taken { item: item.clone(), lease });
        Some(Held { queue: index, item, lease })
    }

    /// Puts an item back at the place that it had.
    fn put_back(&mut self, item: Item) {
        let place = self.ready.partition_point(|other| other.number < item.number);
        self.ready.insert(place, item);
    }
}

impl World {
    /// The queues, by name.
    pub fn queues(&self) -> impl Iterator<Item = QueueView> {
        self.data.queues.iter().map(|queue| QueueView {
            name: queue.name.clone(),
            ready: queue.ready.iter().map(|item| item.text.clone()).collect(),
            taken: queue.taken.values().map(|taken| taken.item.text.clone()).collect(),
            waiting: queue.waiting.len(),
        })
    }

    /// Puts a message into a queue, or an item at the right end of a list.
    pub fn push_item(&mut self, queue: &str, kind: QueueKind, text: &str) {
        let index = Queue::index(&mut self.data.queues, queue, kind);
        if let Some(queue) = self.data.queues.get_mut(index) {
            let taken = queue.taken.keys().next_back().map_or(0, |last| last + 1);
            let number = queue.ready.back().map_or(0, |last| last.number + 1).max(taken);
            queue.ready.push_back(Item { number, text: text.into() });
        }
        serve(self, index);
        self.pass_on_changes();
    }
}

/// Takes an item for a container, or lets it wait.
pub(super) fn take_or_wait(world: &mut World, of: Of, index: usize) -> Option<Held> {
    let queue = world.data.queues.get_mut(index)?;
    let held = queue.take(index);
    if held.is_none() {
        queue.waiting.push_back(of);
    }
    held
}

/// Stops waiting, wherever that is.
pub(super) fn wait_nowhere(world: &mut World, of: Of) {
    for queue in &mut world.data.queues {
        queue.waiting.retain(|waiting| (waiting.pod, waiting.container) != (of.pod, of.container));
    }
}

/// Stops waiting.
pub(super) fn wait_no_more(world: &mut World, of: Of, index: usize) {
    if let Some(queue) = world.data.queues.get_mut(index) {
        queue.waiting.retain(|waiting| *waiting != of);
    }
}

/// Gives what can be taken to the containers that wait, in the order in which they came.
fn serve(world: &mut World, index: usize) {
    while let Some(queue) = world.data.queues.get_mut(index) {
        if queue.ready.is_empty() {
            return;
        }
        let Some(of) = queue.waiting.pop_front() else { return };
        if world.data.container_at(of).is_none() {
            continue;
        }
        let Some(held) = world.data.queues.get_mut(index).and_then(|queue| queue.take(index)) else { return };
        script::served(world, of, held);
    }
}

/// Says when a lease runs out, if that makes a difference.
pub(super) fn lease(world: &mut World, held: &Held, lease_millis: u64) {
    if world.data.queues.get(held.queue).is_some_and(|queue| queue.reclaim) {
        // A lease lasts up to and with its last instant: what is completed just then is in time.
        let at: Timestamp = world.now.plus_nanos(millis(lease_millis)).plus_nanos(1);
        let (queue, item, lease) = (held.queue, held.item.number, held.lease);
        world.plan_data(at, Due::LeaseOver { queue, item, lease });
    }
}

/// A lease has run out: the item goes back to the main list, if it is still being processed under that lease.
pub(super) fn lease_over(world: &mut World, index: usize, item: u64, lease: u64) {
    let Some(queue) = world.data.queues.get_mut(index) else { return };
    if queue.taken.get(&item).is_none_or(|taken| taken.lease != lease) {
        return;
    }
    if let Some(taken) = queue.taken.remove(&item) {
        queue.put_back(taken.item);
    }
    serve(world, index);
}

/// A message is acknowledged, or an item completed: it is gone, wherever its processing was handed on to.
pub(super) fn finish(world: &mut World, held: &Held) {
    if let Some(queue) = world.data.queues.get_mut(held.queue) {
        queue.taken.remove(&held.item.number);
    }
}

/// The holder is gone. A message that it had not acknowledged goes back to where it was; an item stays in the
/// processing list, as the library leaves it there.
pub(super) fn abandon(world: &mut World, held: &Held) {
    let Some(queue) = world.data.queues.get_mut(held.queue) else { return };
    if queue.kind == QueueKind::Redis {
        return;
    }
    if let Some(taken) = queue.taken.remove(&held.item.number) {
        queue.put_back(taken.item);
    }
    serve(world, held.queue);
}
