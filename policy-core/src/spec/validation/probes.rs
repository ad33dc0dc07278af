//! Probes and lifecycle hooks (`validateProbe`, `validateLifecycle`).

use super::container::PodContext;
use super::error::Errors;
use super::field::Field;
use super::names;
use alloc::format;

/// The lifecycle and all probes of a container that runs along with the Pod.
pub(super) fn lifecycle_and_probes(container: &Field<'_, '_>, pod: &PodContext<'_, '_>, errors: &mut Errors) {
    let lifecycle = container.child("lifecycle");
    for hook in ["postStart", "preStop"] {
        let hook = lifecycle.child(hook);
        if hook.is_set() {
            handler(&hook, &["exec", "httpGet", "tcpSocket", "sleep"], pod.grace_period_seconds, errors);
        }
    }
    let stop_signal = lifecycle.child("stopSignal");
    if stop_signal.is_set() {
        self::stop_signal(&stop_signal, pod.os, errors);
    }
    for (name, must_succeed_once) in
        [("livenessProbe", true), ("readinessProbe", false), ("startupProbe", true)]
    {
        let probe = container.child(name);
        if !probe.is_set() {
            continue;
        }
        self::probe(&probe, pod.grace_period_seconds, errors);
        let threshold = probe.child("successThreshold");
        if must_succeed_once && threshold.int_or_zero() != 1 {
            errors.invalid(&threshold, "must be 1");
        }
        let grace = probe.child("terminationGracePeriodSeconds");
        if !must_succeed_once && grace.is_set() {
            errors.invalid(&grace, "must not be set for readinessProbes");
        }
    }
}

fn probe(probe: &Field<'_, '_>, grace_period_seconds: Option<i64>, errors: &mut Errors) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace_period_seconds, errors);
    for name in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        names::non_negative(&probe.child(name), errors);
    }
    let grace = probe.child("terminationGracePeriodSeconds");
    if grace.int().is_some_and(|seconds| seconds <= 0) {
        errors.invalid(&grace, "must be greater than 0");
    }
}

/// `validateHandler`: exactly one of the kinds.
fn handler(handler: &Field<'_, '_>, kinds: &[&str], grace_period_seconds: Option<i64>, errors: &mut Errors) {
    let mut found = false;
    for kind in kinds {
        let action = handler.child(kind);
        if !action.is_set() {
            continue;
        }
        if found {
            errors.forbidden(&action, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                let command = action.child("command");
                if command.items_len() == 0 {
                    errors.required(&command, "");
                }
            }
            "httpGet" => http_get(&action, errors),
            "sleep" => sleep(&action, grace_period_seconds, errors),
            kind => {
                port_number_or_name(&action.child("port"), errors);
                if kind == "grpc" {
                    grpc_mode(&action.child("mode"), errors);
                }
            }
        }
    }
    if !found {
        errors.required(handler, "must specify a handler type");
    }
}

fn http_get(action: &Field<'_, '_>, errors: &mut Errors) {
    let path = action.child("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    }
    port_number_or_name(&action.child("port"), errors);
    let scheme = action.child("scheme");
    if !matches!(scheme.text(), "HTTP" | "HTTPS") {
        errors.not_supported(&scheme, &["HTTP", "HTTPS"]);
    }
    let headers = action.child("httpHeaders");
    for header in headers.items() {
        let name = header.child("name");
        for message in names::http_header_name(name.text()) {
            errors.invalid_value(&headers, name.text(), message);
        }
    }
    http_protocol(action, scheme.text(), errors);
}

fn http_protocol(action: &Field<'_, '_>, scheme: &str, errors: &mut Errors) {
    let (protocol, host) = (action.child("protocol"), action.child("host"));
    match protocol.opt_text() {
        None | Some("HTTP1") => {}
        Some("HTTP2") if scheme != "HTTP" => errors.invalid(&protocol, "is only supported with HTTP (H2C)"),
        Some("HTTP2") if !host.text().is_empty() => {
            errors.invalid(&host, "must be empty when `protocol` is \"HTTP2\"");
        }
        Some("HTTP2") => {}
        Some(_) => errors.not_supported(&protocol, &["HTTP1", "HTTP2"]),
    }
}

fn grpc_mode(mode: &Field<'_, '_>, errors: &mut Errors) {
    if mode.opt_text().is_some_and(|mode| !matches!(mode, "Plaintext" | "TLS")) {
        errors.not_supported(mode, &["Plaintext", "TLS"]);
    }
}

/// `ValidatePortNumOrName`.
fn port_number_or_name(port: &Field<'_, '_>, errors: &mut Errors) {
    match port.opt_text() {
        Some(name) => errors.invalid_all(port, names::port_name(name)),
        None => {
            if let Some(message) = names::port_number(port.int_or_zero()) {
                errors.invalid_value(port, port.int_or_zero(), message);
            }
        }
    }
}

fn sleep(action: &Field<'_, '_>, grace_period_seconds: Option<i64>, errors: &mut Errors) {
    let seconds = action.child("seconds").int_or_zero();
    if let Some(grace) = grace_period_seconds.filter(|grace| seconds < 0 || seconds > *grace) {
        let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid_value(action, seconds, detail);
    }
}

/// `validateStopSignal`, as far as it needs the Pod's operating system; which signals there are is left to the
/// kubelet.
fn stop_signal(signal: &Field<'_, '_>, os: Option<&str>, errors: &mut Errors) {
    match os {
        None => errors.forbidden(signal, "may not be set for containers with empty `spec.os.name`"),
        Some("windows") if !matches!(signal.text(), "SIGKILL" | "SIGTERM") => {
            errors.not_supported(signal, &["SIGKILL", "SIGTERM"]);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::expect_container_errors;

    #[test]
    fn probes() {
        expect_container_errors(&[
            (r#"{"livenessProbe":{}}"#, &["livenessProbe: Required value: must specify a handler type"]),
            (r#"{"livenessProbe":{"exec":{"command":[]}}}"#, &["livenessProbe.exec.command: Required value"]),
            (
                r#"{"readinessProbe":{"exec":{"command":["a"]},"tcpSocket":{"port":1}}}"#,
                &["readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
            ),
            (
                r#"{"livenessProbe":{"exec":{"command":["a"]},"periodSeconds":-1,"successThreshold":2}}"#,
                &[
                    "livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "livenessProbe.successThreshold: Invalid value: 2: must be 1",
                ],
            ),
            (
                r#"{"readinessProbe":{"tcpSocket":{"port":0},"terminationGracePeriodSeconds":5}}"#,
                &[
                    "readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes",
                ],
            ),
            (
                r#"{"startupProbe":{"grpc":{"port":70000},"terminationGracePeriodSeconds":0}}"#,
                &[
                    "startupProbe.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive",
                    "startupProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
                ],
            ),
        ]);
    }

    #[test]
    fn http_actions() {
        expect_container_errors(&[
            (r#"{"livenessProbe":{"httpGet":{"port":"http"}}}"#, &[]),
            (
                r#"{"livenessProbe":{"httpGet":{"path":"/","port":"no_name","scheme":"FTP"}}}"#,
                &[
                    r#"livenessProbe.httpGet.port: Invalid value: "no_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#,
                    r#"livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS""#,
                ],
            ),
            (
                r#"{"livenessProbe":{"httpGet":{"port":80,"httpHeaders":[{"name":"a b","value":"c"}]}}}"#,
                &[
                    r#"livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of…"#,
                ],
            ),
        ]);
    }

    #[test]
    fn lifecycles() {
        expect_container_errors(&[
            (
                r#"{"lifecycle":{"preStop":{}}}"#,
                &["lifecycle.preStop: Required value: must specify a handler type"],
            ),
            (
                r#"{"lifecycle":{"preStop":{"sleep":{"seconds":-1}}}}"#,
                &[
                    "lifecycle.preStop.sleep: Invalid value: -1: must be non-negative and less than terminationGracePeriodSeconds (30)",
                ],
            ),
            (
                r#"{"lifecycle":{"postStart":{"exec":{"command":["a"]},"sleep":{"seconds":1}}}}"#,
                &["lifecycle.postStart.sleep: Forbidden: may not specify more than 1 handler type"],
            ),
            (r#"{"lifecycle":{"stopSignal":"SIGTERM"}}"#, &[]),
        ]);
    }
}
