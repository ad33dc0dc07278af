//! Which rights the controller needs: the one list that is checked at the start, printed by `--print-rbac`, and that
//! the manifests under `deploy/` hold.

use super::options::Options;
use std::fmt::Write;

/// A right: verb, API group, resource with its subresource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) subresource: &'static str,
}

/// The verbs on one resource.
type Rule = (&'static str, &'static str, &'static [&'static str]);

const READ: [Rule; 2] = [("batch", "jobs", &["get", "list", "watch"]), ("", "pods", &["list", "watch"])];
// An owner reference that blocks the owner's deletion, as those of Pods do, takes the right to update its finalizers.
const WRITE: [Rule; 4] = [
    ("batch", "jobs/status", &["update"]),
    ("batch", "jobs/finalizers", &["update"]),
    ("", "pods", &["create", "delete", "patch"]),
    ("", "events", &["create", "patch"]),
];
const READ_CRON_JOBS: [Rule; 1] = [("batch", "cronjobs", &["get", "list", "watch"])];
const WRITE_CRON_JOBS: [Rule; 3] = [
    ("batch", "cronjobs/status", &["update"]),
    ("batch", "cronjobs/finalizers", &["update"]),
    ("batch", "jobs", &["create", "delete"]),
];
const TTL: [Rule; 1] = [("batch", "jobs", &["delete"])];

/// The rules for what the command line asks for; each resource once.
fn rules(all: bool, ttl: bool, dry_run: bool) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut parts: Vec<&[Rule]> = vec![&READ];
    if !dry_run {
        parts.push(&WRITE);
    }
    if all {
        parts.push(&READ_CRON_JOBS);
    }
    if all && !dry_run {
        parts.push(&WRITE_CRON_JOBS);
    }
    if ttl && !dry_run {
        parts.push(&TTL);
    }
    let mut rules: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (group, resource, verbs) in parts.into_iter().flatten() {
        let place = rules.iter().position(|rule| (rule.0, rule.1) == (*group, *resource));
        let place = place.unwrap_or_else(|| {
            rules.push((group, resource, Vec::new()));
            rules.len() - 1
        });
        for verb in *verbs {
            if !rules[place].2.contains(verb) {
                rules[place].2.push(verb);
            }
        }
    }
    rules
}

/// The rights in the cluster, or in the one namespace that is looked at.
pub(super) fn needed(options: &Options) -> Vec<Right> {
    let mut rights = Vec::new();
    for (group, name, verbs) in rules(options.all, options.ttl, options.dry_run) {
        let (resource, subresource) = name.split_once('/').unwrap_or((name, ""));
        rights.extend(verbs.into_iter().map(|verb| Right { verb, group, resource, subresource }));
    }
    rights
}

/// A ClusterRole with exactly these rights, and a Role with those on the lease, as YAML.
#[must_use]
pub fn rbac_manifest(options: &Options) -> String {
    let lease = &options.lease.name;
    let namespace = options.lease.namespace.as_deref().unwrap_or("jobpolicy");
    let mut text = String::from(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: jobpolicy-controller\nrules:\n",
    );
    for (group, resource, verbs) in rules(options.all, options.ttl, options.dry_run) {
        add_rule(&mut text, group, resource, &verbs, None);
    }
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: jobpolicy-controller\n  \
         namespace: {namespace}\nrules:\n"
    );
    // A name is not known when something is created.
    add_rule(&mut text, "coordination.k8s.io", "leases", &["create"], None);
    add_rule(&mut text, "coordination.k8s.io", "leases", &["get", "update"], Some(lease));
    text
}

fn add_rule(text: &mut String, group: &str, resource: &str, verbs: &[&str], name: Option<&str>) {
    let _ = writeln!(text, "- apiGroups: [{group:?}]\n  resources: [{resource:?}]");
    if let Some(name) = name {
        let _ = writeln!(text, "  resourceNames: [{name:?}]");
    }
    let _ = writeln!(text, "  verbs: {verbs:?}");
}
