//! Warnings about containers, one by one and together.

use super::super::annotations;
use super::super::field::Field;
use super::super::options;
use super::{NON_FUNCTIONAL_SECCOMP, Warnings, fractional};
use crate::cron::go_text::quote;
use crate::spec::object::Struct;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) fn container(
    container: &Field<'_, '_>,
    annotations: &Field<'_, '_>,
    pod_context: &Field<'_, '_>,
    found: &mut Warnings,
) {
    let (name, context) = (container.child("name"), container.child("securityContext"));
    let key = format!("{}{}", annotations::SECCOMP_CONTAINER, name.text());
    let seccomp = annotations.key(&key);
    if seccomp.is_set() && !context.child("seccompProfile").is_set() {
        found.push(format!("{seccomp}: {NON_FUNCTIONAL_SECCOMP}"));
    }
    let key = format!("{}{}", annotations::APP_ARMOR_CONTAINER, name.text());
    let app_armor = annotations.key(&key);
    let pod_profile = pod_context.child("appArmorProfile");
    if let Some(annotation) = app_armor.opt_text()
        && !context.child("appArmorProfile").is_set()
        && !pod_profile.fields().is_some_and(|profile| is_profile(annotation, profile))
    {
        found.push(format!("{app_armor}: deprecated since v1.30; use the \"appArmorProfile\" field instead"));
    }
    let resources = container.child("resources");
    for name in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            fractional(&resources.child(list).key(name), found);
        }
    }
    hidden_variables(&container.child("env"), found);
}

/// Whether a field says what the annotation does (`ApparmorFieldForAnnotation`).
fn is_profile(annotation: &str, profile: &Struct<'_>) -> bool {
    let localhost = profile.get("localhostProfile").is_some().then(|| profile.text("localhostProfile"));
    let (kind, name) = match annotation {
        "unconfined" => ("Unconfined", None),
        "runtime/default" => ("RuntimeDefault", None),
        _ => match annotation.strip_prefix("localhost/").filter(|name| !name.is_empty()) {
            Some(name) => ("Localhost", Some(name)),
            None => return false,
        },
    };
    profile.text("type") == kind && localhost == name
}

/// A variable that hides an earlier one of its name without building on it.
fn hidden_variables(variables: &Field<'_, '_>, found: &mut Warnings) {
    let mut seen = alloc::collections::BTreeSet::new();
    for variable in variables.items() {
        let (name, value) = (variable.child("name").text(), variable.child("value").text());
        if seen.insert(name) {
            continue;
        }
        let reference = format!("$({name})");
        if variable.child("valueFrom").is_set() || value == reference || !value.contains(&reference) {
            let name = quote(name);
            found.push(format!(
                "{variable}: hides previous definition of {name}, which may be dropped when using apply"
            ));
        }
    }
}

/// A port with its place.
struct Port<'n> {
    place: String,
    host_ip: &'n str,
    host_port: i64,
}

pub(super) fn ports(pod: &Field<'_, '_>, found: &mut Warnings) {
    let mut by_number: BTreeMap<(i64, &str), Vec<Port<'_>>> = BTreeMap::new();
    options::each_container(pod, |container| {
        for port in container.child("ports").items() {
            let this = Port {
                place: port.to_string(),
                host_ip: port.child("hostIP").text(),
                host_port: port.child("hostPort").int_or_zero(),
            };
            if !this.host_ip.is_empty() && this.host_port == 0 {
                found.push(format!("{port}: hostIP set without hostPort: {}", go_struct(&port)));
            }
            let key = (port.child("containerPort").int_or_zero(), port.child("protocol").text());
            let others = by_number.entry(key).or_default();
            found.extend(others.iter().filter_map(|other| conflict(&this, other)));
            others.push(this);
        }
    });
    let mut by_name: BTreeMap<&str, String> = BTreeMap::new();
    options::each_container(pod, |container| {
        for port in container.child("ports").items() {
            let name = port.child("name").text();
            match by_name.get(name) {
                _ if name.is_empty() => {}
                Some(other) => found.push(format!(
                    "{port}: duplicate port name {} with {other}, services and probes that select ports by name will use {other}",
                    quote(name)
                )),
                None => drop(by_name.insert(name, port.to_string())),
            }
        }
    });
}

/// What two ports of one number and protocol have against each other.
fn conflict(this: &Port<'_>, other: &Port<'_>) -> Option<String> {
    let how = if (this.host_ip, this.host_port) == (other.host_ip, other.host_port) {
        "duplicate"
    } else if this.host_port == 0 || other.host_port == 0 {
        "overlapping"
    } else if this.host_port == other.host_port && this.host_ip.is_empty() != other.host_ip.is_empty() {
        "dangerously ambiguous"
    } else {
        return None;
    };
    Some(format!("{}: {how} port definition with {}", this.place, other.place))
}

/// A port as Go's `%+v` prints it.
fn go_struct(port: &Field<'_, '_>) -> String {
    format!(
        "{{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
        port.child("name").text(),
        port.child("hostPort").int_or_zero(),
        port.child("containerPort").int_or_zero(),
        port.child("protocol").text(),
        port.child("hostIP").text(),
    )
}
