//! Security contexts of the Pod and its containers.

use super::container::PodContext;
use super::error::Errors;
use super::field::Field;
use super::options::PodOptions;
use super::{names, paths};
use crate::spec::object::Struct;
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;

/// `ValidateSecurityContext`.
pub(super) fn security_context(context: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    if !context.is_set() {
        return;
    }
    let privileged = context.child("privileged");
    if privileged.is_true() && !pod.options.allow_privileged {
        errors.forbidden(&privileged, "disallowed by cluster policy");
    }
    ids(context, &["runAsUser", "runAsGroup"], errors);
    let proc_mount = context.child("procMount");
    match proc_mount.opt_text() {
        None | Some("Default") => {}
        Some("Unmasked") if pod.host_users => {
            errors.invalid(&proc_mount, "`hostUsers` must be false to use `Unmasked`");
        }
        Some("Unmasked") => {}
        Some(_) => errors.not_supported(&proc_mount, &["Default", "Unmasked"]),
    }
    seccomp_profile(&context.child("seccompProfile"), errors);
    if context.child("allowPrivilegeEscalation").flag() == Some(false) {
        no_escalation(context, privileged.is_true(), pod.options, errors);
    }
    app_armor_profile(&context.child("appArmorProfile"), errors);
}

fn no_escalation(context: &Field<'_, '_>, privileged: bool, options: &PodOptions, errors: &mut Errors) {
    if privileged {
        errors.invalid(context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
    if options.allow_sys_admin_when_privilege_escalation_false {
        return;
    }
    let capabilities = context.child("capabilities");
    for _ in capabilities.child("add").texts().filter(|name| *name == SYS_ADMIN) {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
        errors.invalid(context, detail);
    }
}

const SYS_ADMIN: &str = "CAP_SYS_ADMIN";

/// `hasSysAdminAndPrivilegeEscalationFalse`, which takes a flag that is not set for false.
pub(super) fn adds_sys_admin(container: &Struct<'_>) -> bool {
    let Some(context) = container.child("securityContext") else { return false };
    let capabilities = context.child("capabilities");
    context.flag("allowPrivilegeEscalation") != Some(true)
        && capabilities.is_some_and(|c| c.items("add").iter().any(|name| name.as_text() == Some(SYS_ADMIN)))
}

/// User and group ids, where set.
fn ids(context: &Field<'_, '_>, fields: &[&str], errors: &mut Errors) {
    for name in fields {
        let field = context.child(name);
        if let Some(id) = field.int() {
            errors.invalid_all(&field, names::user_id(id));
        }
    }
}

/// `validatePodSpecSecurityContext`.
pub(super) fn pod_security_context(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let context = spec.child("securityContext");
    ids(&context, &["fsGroup", "runAsUser", "runAsGroup"], errors);
    for group in context.child("supplementalGroups").items() {
        errors.invalid_all(&group, names::user_id(group.int_or_zero()));
    }
    sysctls(spec, &context.child("sysctls"), options, errors);
    known(&context.child("fsGroupChangePolicy"), &["Always", "OnRootMismatch"], errors);
    seccomp_profile(&context.child("seccompProfile"), errors);
    app_armor_profile(&context.child("appArmorProfile"), errors);
    known(&context.child("supplementalGroupsPolicy"), &["Merge", "Strict"], errors);
    known(&context.child("seLinuxChangePolicy"), &["MountOption", "Recursive"], errors);
}

fn known(field: &Field<'_, '_>, supported: &[&str], errors: &mut Errors) {
    if field.opt_text().is_some_and(|text| !supported.contains(&text)) {
        errors.not_supported(field, supported);
    }
}

const SYSCTL_NAME: &str = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

fn sysctls(spec: &Field<'_, '_>, sysctls: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for sysctl in sysctls.items() {
        let name = sysctl.child("name");
        let text = name.text();
        if text.is_empty() {
            errors.required(&name, "");
        } else if !is_sysctl_name(text) {
            errors.invalid(&name, SYSCTL_NAME);
        } else if seen.contains(text) {
            errors.duplicate(&name);
        }
        if !options.allow_namespaced_sysctls_for_host_net_and_host_ipc
            && let Some(detail) = host_sysctl(text, spec)
        {
            errors.invalid_value(&name, text, detail);
        }
        seen.insert(text);
    }
}

fn is_sysctl_name(name: &str) -> bool {
    let outer = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(outer)
                && bytes.last().is_some_and(outer)
                && bytes.iter().all(|b| outer(b) || matches!(b, b'-' | b'_'))
        })
}

/// `ValidateHostSysctl`: a Pod in the host's namespace may not set what is the host's.
fn host_sysctl(name: &str, spec: &Field<'_, '_>) -> Option<&'static str> {
    let name = normalized_sysctl(name);
    let name = name.split('*').next().unwrap_or_default();
    if spec.child("hostNetwork").is_true() && name.starts_with("net.") {
        return Some("may not be specified when 'hostNetwork' is true");
    }
    let is_ipc = IPC_SYSCTLS.contains(&name) || name.starts_with("fs.mqueue.");
    (spec.child("hostIPC").is_true() && is_ipc).then_some("may not be specified when 'hostIPC' is true")
}

/// Sysctls of the IPC namespace, with the prefixes that stand for several.
const IPC_SYSCTLS: [&str; 10] = [
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
    "kernel.shm",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.msg",
];

/// `NormalizeName`: with dots between the parts, also where slashes stand.
fn normalized_sysctl(name: &str) -> Cow<'_, str> {
    match name.find(['.', '/']).and_then(|at| name.as_bytes().get(at)) {
        Some(b'/') => name
            .chars()
            .map(|c| match c {
                '.' => '/',
                '/' => '.',
                c => c,
            })
            .collect(),
        _ => name.into(),
    }
}

/// Whether the Pod sets a sysctl of the host.
pub(super) fn has_namespaced_sysctl(spec: &Field<'_, '_>) -> bool {
    let context = spec.child("securityContext");
    context.child("sysctls").items().any(|sysctl| host_sysctl(sysctl.child("name").text(), spec).is_some())
}

/// `validateSeccompProfileField`.
fn seccomp_profile(profile: &Field<'_, '_>, errors: &mut Errors) {
    if !profile.is_set() {
        return;
    }
    let (kind, localhost) = (profile.child("type"), profile.child("localhostProfile"));
    match kind.text() {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => errors.required(&kind, "type is required when seccompProfile is set"),
        _ => errors.not_supported(&kind, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
    match localhost.opt_text() {
        None if kind.text() == "Localhost" => {
            errors.required(&localhost, "must be set when seccomp type is Localhost");
        }
        Some(path) if kind.text() == "Localhost" => paths::local_descending(path, &localhost, errors),
        None => {}
        Some(_) => errors.invalid(&localhost, "can only be set when seccomp type is Localhost"),
    }
}

/// The longest path that fits `PATH_MAX`, in bytes.
const PATH_MAX: usize = 4095;

/// `ValidateAppArmorProfileField`.
fn app_armor_profile(profile: &Field<'_, '_>, errors: &mut Errors) {
    if !profile.is_set() {
        return;
    }
    let (kind, localhost) = (profile.child("type"), profile.child("localhostProfile"));
    match (kind.text(), localhost.opt_text()) {
        ("Localhost", None) => errors.required(&localhost, "must be set when AppArmor type is Localhost"),
        ("Localhost", Some(path)) => {
            if path.trim() != path {
                errors.invalid(&localhost, "must not be padded with whitespace");
            } else if path.is_empty() {
                errors.required(&localhost, "must be set when AppArmor type is Localhost");
            }
            if path.len() > PATH_MAX {
                errors.too_long(&localhost, PATH_MAX);
            }
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("RuntimeDefault" | "Unconfined", Some(_)) => {
            errors.invalid(&localhost, "can only be set when AppArmor type is Localhost");
        }
        ("", _) => errors.required(&kind, "type is required when appArmorProfile is set"),
        _ => errors.not_supported(&kind, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expect_container_errors, expect_pod_errors};

    #[test]
    fn ids_and_profiles() {
        expect_container_errors(&[
            (
                r#"{"securityContext":{"runAsUser":-1,"runAsGroup":4294967296}}"#,
                &[
                    "securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                    "securityContext.runAsGroup: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive",
                ],
            ),
            (
                r#"{"securityContext":{"privileged":true}}"#,
                &["securityContext.privileged: Forbidden: disallowed by cluster policy"],
            ),
            (
                r#"{"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"add":["CAP_SYS_ADMIN"]}}}"#,
                &["securityContext: Invalid value: …"],
            ),
            (
                r#"{"securityContext":{"procMount":"Some"}}"#,
                &[
                    r#"securityContext.procMount: Unsupported value: "Some": supported values: "Default", "Unmasked""#,
                ],
            ),
            (
                r#"{"securityContext":{"seccompProfile":{"type":"Localhost"}}}"#,
                &[
                    "securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
                ],
            ),
            (
                r#"{"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"../a"}}}"#,
                &[
                    r#"securityContext.seccompProfile.localhostProfile: Invalid value: "../a": must not contain '..'"#,
                ],
            ),
            (
                r#"{"securityContext":{"appArmorProfile":{"type":"RuntimeDefault","localhostProfile":"a"}}}"#,
                &[
                    r#"securityContext.appArmorProfile.localhostProfile: Invalid value: "a": can only be set when AppArmor type is Localhost"#,
                ],
            ),
        ]);
    }

    #[test]
    fn context_of_the_pod() {
        expect_pod_errors(&[
            (
                r#"{"securityContext":{"fsGroup":-1,"supplementalGroups":[-2],"fsGroupChangePolicy":"Bad"}}"#,
                &[
                    "securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                    "securityContext.supplementalGroups[0]: Invalid value: -2: must be between 0 and 2147483647, inclusive",
                    r#"securityContext.fsGroupChangePolicy: Unsupported value: "Bad": supported values: "Always", "OnRootMismatch""#,
                ],
            ),
            (
                r#"{"securityContext":{"sysctls":[{"name":"kernel.sem","value":"1"},{"name":"kernel/sem","value":"1"},{"name":"A","value":""}]}}"#,
                &[
                    r#"securityContext.sysctls[2].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"#,
                ],
            ),
            (
                r#"{"hostNetwork":true,"securityContext":{"sysctls":[{"name":"net.ipv4.x","value":"1"}]}}"#,
                &[
                    r#"securityContext.sysctls[0].name: Invalid value: "net.ipv4.x": may not be specified when 'hostNetwork' is true"#,
                ],
            ),
            (
                r#"{"shareProcessNamespace":true,"hostPID":true}"#,
                &[
                    "shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
                ],
            ),
            (
                r#"{"hostUsers":false,"hostNetwork":true}"#,
                &["hostNetwork: Forbidden: when `hostUsers` is false"],
            ),
            (
                r#"{"securityContext":{"supplementalGroupsPolicy":"Bad","seLinuxChangePolicy":"Bad"}}"#,
                &[
                    r#"securityContext.supplementalGroupsPolicy: Unsupported value: "Bad": supported values: "Merge", "Strict""#,
                    r#"securityContext.seLinuxChangePolicy: Unsupported value: "Bad": supported values: "MountOption", "Recursive""#,
                ],
            ),
        ]);
    }
}
