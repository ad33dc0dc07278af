//! The operating system of a Pod and what it rules out (`validateOS`, `validateLinux`, `validateWindows`). The form
//! of Windows user names and GMSA credentials is not checked.

use super::error::Errors;
use super::field::Field;
use super::options::{self, PodOptions};
use alloc::format;

pub(super) fn os(spec: &Field<'_, '_>, errors: &mut Errors) {
    let os = spec.child("os");
    if !os.is_set() {
        return;
    }
    let name = os.child("name");
    match name.text() {
        "" => errors.required(&name, ""),
        "linux" => linux(spec, errors),
        "windows" => windows(spec, errors),
        other => errors.not_supported_value(&os, other, &["linux", "windows"]),
    }
}

fn linux(spec: &Field<'_, '_>, errors: &mut Errors) {
    const DETAIL: &str = "windows options cannot be set for a linux pod";
    forbid(&spec.child("securityContext"), &["windowsOptions"], DETAIL, errors);
    options::each_container(spec, |container| {
        forbid(&container.child("securityContext"), &["windowsOptions"], DETAIL, errors);
    });
}

fn windows(spec: &Field<'_, '_>, errors: &mut Errors) {
    const DETAIL: &str = "cannot be set for a windows pod";
    let context = spec.child("securityContext");
    forbid(
        &context,
        &["appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy"],
        DETAIL,
        errors,
    );
    let sysctls = context.child("sysctls");
    if sysctls.items_len() > 0 {
        errors.forbidden(&sysctls, DETAIL);
    }
    let more =
        ["runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"];
    forbid(&context, &more, DETAIL, errors);
    forbid(spec, &["hostUsers"], DETAIL, errors);
    for name in ["hostPID", "hostIPC"] {
        let field = spec.child(name);
        if field.is_true() {
            errors.forbidden(&field, DETAIL);
        }
    }
    forbid(spec, &["shareProcessNamespace"], DETAIL, errors);
    options::each_container(spec, |container| {
        let linux_only = [
            "appArmorProfile",
            "seLinuxOptions",
            "seccompProfile",
            "capabilities",
            "readOnlyRootFilesystem",
            "privileged",
            "allowPrivilegeEscalation",
            "procMount",
            "runAsUser",
            "runAsGroup",
        ];
        forbid(&container.child("securityContext"), &linux_only, DETAIL, errors);
    });
}

fn forbid(parent: &Field<'_, '_>, names: &[&str], detail: &'static str, errors: &mut Errors) {
    for name in names {
        let field = parent.child(name);
        if field.is_set() {
            errors.forbidden(&field, detail);
        }
    }
}

/// `validateWindowsHostProcessPod`: all containers run as processes of the host, or none.
pub(super) fn host_process(spec: &Field<'_, '_>, options: &PodOptions, errors: &mut Errors) {
    let context = spec.child("securityContext");
    let windows = context.child("windowsOptions");
    let pod = windows.child("hostProcess").flag();
    let (mut all, mut on_host): (usize, usize) = (0, 0);
    options::each_container(spec, |container| {
        all = all.saturating_add(1);
        let context = container.child("securityContext");
        let windows = context.child("windowsOptions");
        let own = windows.child("hostProcess");
        if let (Some(pod), Some(flag)) = (pod, own.flag())
            && pod != flag
        {
            let detail = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            errors.invalid(&own, detail);
        }
        on_host = on_host.saturating_add(usize::from(own.flag().or(pod) == Some(true)));
    });
    if on_host == 0 {
        return;
    }
    if on_host != all {
        let detail =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.invalid_value(spec, "", detail);
    }
    let host_network = spec.child("hostNetwork");
    if !host_network.is_true() {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.invalid_value(&host_network, false, detail);
    }
    if !options.allow_privileged {
        errors.forbidden(spec, "hostProcess containers are disallowed by cluster policy");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_pod_errors;

    #[test]
    fn other_systems() {
        expect_pod_errors(&[
            (
                r#"{"os":{"name":"plan9"}}"#,
                &[r#"os: Unsupported value: "plan9": supported values: "linux", "windows""#],
            ),
            (
                r#"{"os":{"name":"windows"},"securityContext":{"fsGroup":1},"hostPID":true}"#,
                &[
                    "securityContext.fsGroup: Forbidden: cannot be set for a windows pod",
                    "hostPID: Forbidden: cannot be set for a windows pod",
                ],
            ),
            (
                r#"{"os":{"name":"linux"},"securityContext":{"windowsOptions":{}}}"#,
                &["securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
            ),
            (
                r#"{"os":{"name":"windows"},"containers":[{"name":"a","image":"b","securityContext":{"runAsUser":1}}]}"#,
                &["containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod"],
            ),
        ]);
    }
}
