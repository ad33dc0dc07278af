//! What is in a virtual cluster, in the words and columns of `kubectl`.
//!
//! ```
//! use policy_sim::kubectl::{self, Command, Resource};
//! let world = policy_sim::World::new(policy_sim::config::Config::default());
//! let get = Command::Get { resource: Resource::Pods, name: None };
//! assert_eq!(kubectl::text(&world, world.now(), &get).unwrap(), "No resources found in default namespace.\n");
//! ```

use crate::World;
use crate::object::Pod;
use crate::store::Object;
use policy_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod age;
mod describe;
mod get;
mod logs;
mod tabs;

pub use age::human_duration;
pub use get::{Table, cron_jobs, events, jobs, pod_status, pods};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resource {
    /// Jobs.
    Jobs,
    /// CronJobs.
    CronJobs,
    /// Pods.
    Pods,
    /// Events.
    Events,
}

/// A command of `kubectl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// `kubectl get`.
    Get {
        /// The table.
        resource: Resource,
        /// One object only.
        #[serde(default)]
        name: Option<String>,
    },
    /// `kubectl describe`.
    Describe {
        /// The kind.
        resource: Resource,
        /// One object only.
        #[serde(default)]
        name: Option<String>,
    },
    /// `kubectl logs`.
    Logs {
        /// The Pod.
        name: String,
    },
    /// `kubectl events`, or `kubectl get events`.
    Events,
}

/// What a command prints at an instant, after which nothing has happened yet.
///
/// # Errors
/// What `kubectl` says when there is no such object, or nothing to print yet.
pub fn text(world: &World, now: Timestamp, command: &Command) -> Result<String, String> {
    match command {
        Command::Get { resource, name } => {
            let table = match resource {
                Resource::Jobs => jobs(world, now),
                Resource::CronJobs => cron_jobs(world, now),
                Resource::Pods => pods(world, now, false),
                Resource::Events => events(world, now),
            };
            get_text(table, *resource, name.as_deref())
        }
        Command::Describe { resource, name } => describe_text(world, now, *resource, name.as_deref()),
        Command::Logs { name } => logs::text(world, name),
        Command::Events => get_text(events(world, now), Resource::Events, None),
    }
}

fn get_text(mut table: Table, resource: Resource, name: Option<&str>) -> Result<String, String> {
    if let Some(name) = name {
        table.rows.retain(|row| row.first().is_some_and(|first| first == name));
        if table.rows.is_empty() {
            return Err(not_found(resource, name));
        }
    }
    if table.rows.is_empty() { Ok(nothing()) } else { Ok(table.to_string()) }
}

fn describe_text(
    world: &World,
    now: Timestamp,
    resource: Resource,
    name: Option<&str>,
) -> Result<String, String> {
    let objects = described(world, resource);
    let wanted = objects.iter().filter(|object| name.is_none_or(|name| object["metadata"]["name"] == name));
    let texts: Vec<String> = wanted.map(|object| describe::text(world, now, object)).collect();
    match name {
        Some(name) if texts.is_empty() => Err(not_found(resource, name)),
        _ if texts.is_empty() => Ok(nothing()),
        _ => Ok(texts.join("\n\n")),
    }
}

fn described(world: &World, resource: Resource) -> Vec<Value> {
    let of = |wanted: fn(&Object) -> bool| {
        world.store.objects().filter(move |object| wanted(object)).map(Object::to_json).collect()
    };
    match resource {
        Resource::Jobs => of(|object| matches!(object, Object::Job(_))),
        Resource::CronJobs => of(|object| matches!(object, Object::CronJob(_))),
        Resource::Pods => world.store.pods().map(Pod::to_json).collect(),
        Resource::Events => Vec::new(),
    }
}

fn nothing() -> String {
    format!("No resources found in {} namespace.\n", crate::store::DEFAULT_NAMESPACE)
}

fn not_found(resource: Resource, name: &str) -> String {
    let resource = match resource {
        Resource::Jobs => "jobs.batch",
        Resource::CronJobs => "cronjobs.batch",
        Resource::Pods => "pods",
        Resource::Events => "events",
    };
    format!("Error from server (NotFound): {resource} \"{name}\" not found")
}

/// The Pod of that name, in the default namespace if several have one.
fn pod_named<'w>(world: &'w World, name: &str) -> Option<&'w Pod> {
    world.store.pod_named(crate::store::DEFAULT_NAMESPACE, name).or_else(|| {
        let mut pods = world.store.pods();
        pods.find(|pod| &*pod.name == name)
    })
}

#[cfg(test)]
mod tests;
