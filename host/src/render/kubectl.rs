//! What is in a virtual cluster, as `kubectl get` shows it.

use super::table;
use policy_sim::World;
use policy_sim::kubectl::{self, Table};

/// Rows shown of one table; a note says how many more there are.
const ROWS: usize = 40;

/// `kubectl get jobs`; empty when there are none.
pub fn jobs(world: &World) -> String {
    limited(kubectl::jobs(world, world.now()))
}

/// `kubectl get cronjobs`; empty when there are none.
pub fn cron_jobs(world: &World) -> String {
    limited(kubectl::cron_jobs(world, world.now()))
}

/// `kubectl get pods`, with their nodes; empty when there are none.
pub fn pods(world: &World) -> String {
    limited(kubectl::pods(world, world.now(), true))
}

/// `kubectl get events`: the last ones, those that repeat taken together; empty when there are none.
pub fn events(world: &World, most: usize) -> String {
    let Table { header, mut rows } = kubectl::events(world, world.now());
    let hidden = rows.len().saturating_sub(most);
    let shown = limited(Table { header, rows: rows.split_off(hidden) });
    if hidden > 0 { format!("{shown}… and {hidden} earlier ones\n") } else { shown }
}

fn limited(Table { header, mut rows }: Table) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let hidden = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let text = table(&header, rows);
    if hidden > 0 { format!("{text}… and {hidden} more\n") } else { text }
}
