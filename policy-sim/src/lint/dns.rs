//! Names of an Indexed Job's Pods, and the Service that gives them.

use super::proof::{Proof, job_name};
use super::subject::Subject;
use super::{Code, Finding, codes};
use policy_core::spec::JOB_COMPLETION_INDEX;
use serde_json::{Value, json};

/// The Services among the manifests.
pub(super) fn services(manifests: &[Value]) -> Vec<&Value> {
    manifests.iter().filter(|manifest| manifest["kind"] == "Service").collect()
}

pub(super) fn check(subject: &Subject, services: &[&Value], findings: &mut Vec<Finding>) {
    findings.extend(names(subject, services));
}

fn names(subject: &Subject, services: &[&Value]) -> Option<Finding> {
    let spec = &subject.job.spec;
    let subdomain = subject.template["spec"]["subdomain"].as_str().filter(|name| !name.is_empty())?;
    let pods = spec.completions.unwrap_or(0).min(spec.parallelism.unwrap_or(1));
    if !spec.is_indexed() || pods < 1 {
        return None;
    }
    let is_it = |service: &&&Value| {
        let metadata = &service["metadata"];
        let namespace = metadata["namespace"].as_str().filter(|namespace| !namespace.is_empty());
        metadata["name"] == subdomain && namespace.unwrap_or("default") == subject.object.namespace
    };
    let path = subject.path("template.spec.subdomain");
    let Some(service) = services.iter().find(is_it) else {
        let message = format!(
            "names like `{}-0.{subdomain}` do not resolve: there is no Service `{subdomain}` in the input",
            job_name(subject)
        );
        let instead = format!(
            "add a Service `{subdomain}` in namespace `{}` with `clusterIP: None` and a selector for these Pods",
            subject.object.namespace
        );
        let why = format!("*there is no Service `{subdomain}`");
        return Some(finding(
            subject,
            &codes::INDEXED_DNS_WITHOUT_SERVICE,
            path,
            (message, instead),
            (None, why),
        ));
    };
    let (problem, instead, why) = silent(subject, subdomain, service)?;
    let message = format!("names like `{}-0.{subdomain}` do not resolve: {problem}", job_name(subject));
    Some(finding(subject, &codes::SERVICE_NAMES_NO_POD, path, (message, instead), (Some(service), why)))
}

/// Why a Service names none of the Pods.
fn silent(subject: &Subject, name: &str, service: &Value) -> Option<(String, String, String)> {
    let spec = &service["spec"];
    if spec["clusterIP"] != "None" {
        let why = format!("the Service `{name}` is not headless, so it gives no names to Pods");
        return Some((
            why.clone(),
            format!("write `clusterIP: None` in the Service `{name}`"),
            format!("*{why}"),
        ));
    }
    // The Jobs of a CronJob are named when they are made, and so are some labels of their Pods.
    if subject.cron_job.is_some() {
        return None;
    }
    let labels = &subject.template["metadata"]["labels"];
    let (key, value) = spec["selector"].as_object()?.iter().find(|(key, value)| {
        key.as_str() != JOB_COMPLETION_INDEX
            && !key.ends_with("controller-uid")
            && labels.get(key.as_str()) != Some(value)
    })?;
    let value = value.as_str()?;
    let why = format!("the Service `{name}` selects `{key}={value}`, which no such Pod has");
    let instead = format!(
        "let the Service select `job-name: {}`, or give the template the label `{key}: {value}`",
        job_name(subject)
    );
    Some((why, instead, format!("*the Service `{name}` selects*which no such Pod has")))
}

fn finding(
    subject: &Subject,
    code: &'static Code,
    path: String,
    (message, instead): (String, String),
    (service, why): (Option<&&Value>, String),
) -> Finding {
    let name = job_name(subject);
    let subdomain = subject.template["spec"]["subdomain"].as_str().unwrap_or_default();
    let mut proof =
        Proof::with_job(code.name, "Pods that wait for each other's names wait for ever", subject);
    for container in subject.container_names() {
        let script = json!([{"waitForDns": [format!("{name}-0.{subdomain}")]}, {"run": "5s"}]);
        proof = proof.behaviour(json!({"container": container}), script);
    }
    proof = proof.others_end(subject).until_seconds(600);
    if let Some(service) = service {
        proof = proof.manifest((**service).clone());
    }
    let proof = proof
        .asserts(json!({"text": "No Pod ever succeeds", "never": true, "job": {"name": name, "fields": {"status.succeeded": {"min": 1}}}}))
        .asserts(json!({"text": "They ask to the end", "outcome": "deadline"}))
        .asserts(json!({"text": "The explanation says why", "why": why}));
    subject.finding(code, path, message, instead, proof.build())
}
