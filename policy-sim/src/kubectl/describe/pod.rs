//! Pods, and the templates that they are made from.

use super::super::age::{human_duration, rfc1123};
use super::{Lines, controlled_by, instant};
use policy_core::Timestamp;
use serde_json::Value;

/// A Pod, after its name.
pub(super) fn pod(lines: &mut Lines, pod: &Value, now: Timestamp) {
    let (spec, status, metadata) = (&pod["spec"], &pod["status"], &pod["metadata"]);
    lines.perhaps("Priority", &spec["priority"], "", None);
    lines.perhaps("Priority Class Name", &spec["priorityClassName"], "", None);
    lines.perhaps("Service Account", &spec["serviceAccountName"], "", None);
    match spec["nodeName"].as_str() {
        Some(node) => lines.field("Node", format_args!("{node}/{}", text(&status["hostIP"]))),
        None => lines.field("Node", "<none>"),
    }
    if let Some(start) = instant(&status["startTime"]) {
        lines.field("Start Time", rfc1123(start));
    }
    lines.labels("", "Labels", &metadata["labels"]);
    lines.annotations("", &metadata["annotations"]);
    let ended = matches!(status["phase"].as_str(), Some("Succeeded" | "Failed"));
    match instant(&metadata["deletionTimestamp"]).filter(|_| !ended) {
        Some(due) => {
            let lasts = human_duration(now.nanos_since(due));
            lines.field("Status", format_args!("Terminating (lasts {lasts})"));
            lines.perhaps("Termination Grace Period", &metadata["deletionGracePeriodSeconds"], "s", None);
        }
        None => lines.perhaps("Status", &status["phase"], "", Some("")),
    }
    lines.perhaps("Reason", &status["reason"], "", None);
    lines.perhaps("Message", &status["message"], "", None);
    lines.field("IP", text(&status["podIP"]));
    lines.field("IPs", "<none>");
    controlled_by(lines, metadata);
    let has_init = !items(&spec["initContainers"]).is_empty();
    if has_init {
        containers(
            lines,
            "",
            "Init Containers",
            &spec["initContainers"],
            Some(&status["initContainerStatuses"]),
        );
    }
    containers(lines, "", "Containers", &spec["containers"], Some(&status["containerStatuses"]));
    let conditions = items(&status["conditions"]);
    if !conditions.is_empty() {
        lines.line("Conditions:\n  Type\tStatus");
        for condition in conditions {
            lines.line(&format!("  {} \t{} ", text(&condition["type"]), text(&condition["status"])));
        }
    }
    volumes(lines, "", &spec["volumes"]);
    lines.field("QoS Class", quality(spec));
    lines.labels("", "Node-Selectors", &spec["nodeSelector"]);
    tolerations(lines, "", &spec["tolerations"]);
}

/// The template of a Job.
pub(super) fn template(lines: &mut Lines, template: &Value) {
    let (spec, metadata) = (&template["spec"], &template["metadata"]);
    lines.line("Pod Template:");
    lines.labels("  ", "Labels", &metadata["labels"]);
    if metadata["annotations"].as_object().is_some_and(|all| !all.is_empty()) {
        lines.annotations("  ", &metadata["annotations"]);
    }
    lines.perhaps("  Service Account", &spec["serviceAccountName"], "", None);
    if !items(&spec["initContainers"]).is_empty() {
        containers(lines, "  ", "Init Containers", &spec["initContainers"], None);
    }
    containers(lines, "  ", "Containers", &spec["containers"], None);
    volumes(lines, "  ", &spec["volumes"]);
    lines.perhaps("  Priority Class Name", &spec["priorityClassName"], "", None);
    lines.labels("  ", "Node-Selectors", &spec["nodeSelector"]);
    tolerations(lines, "  ", &spec["tolerations"]);
}

fn containers(lines: &mut Lines, indent: &str, label: &str, specs: &Value, statuses: Option<&Value>) {
    lines.line(&format!("{indent}{label}:"));
    let space = if indent.is_empty() { "" } else { " " };
    for container in items(specs) {
        let name = text(&container["name"]);
        lines.line(&format!("  {space}{name}:"));
        let status = statuses.and_then(|all| items(all).iter().find(|status| text(&status["name"]) == name));
        if status.is_some() {
            lines.line("    Container ID:\t");
        }
        lines.line(&format!("    Image:\t{}", text(&container["image"])));
        if status.is_some() {
            lines.line("    Image ID:\t");
        }
        ports(lines, "Port", "containerPort", &container["ports"]);
        ports(lines, "Host Port", "hostPort", &container["ports"]);
        words(lines, "Command", &container["command"]);
        words(lines, "Args", &container["args"]);
        if let Some(status) = status {
            state(lines, "State", &status["state"]);
            if status["lastState"]["terminated"].is_object() {
                state(lines, "Last State", &status["lastState"]);
            }
            lines.line(&format!("    Ready:\t{}", if status["ready"] == true { "True" } else { "False" }));
            lines.line(&format!("    Restart Count:\t{}", status["restartCount"]));
        }
        resources(lines, &container["resources"]);
        environment(lines, &container["env"]);
        mounts(lines, &container["volumeMounts"]);
    }
}

fn ports(lines: &mut Lines, name: &str, field: &str, ports: &Value) {
    let all = items(ports).iter().map(|port| {
        let name = match text(&port["name"]) {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let protocol = port["protocol"].as_str().unwrap_or("TCP");
        format!("{}/{protocol}{name}", port[field].as_i64().unwrap_or(0))
    });
    let all: Vec<String> = all.collect();
    match all.as_slice() {
        [] => lines.line(&format!("    {name}:\t<none>")),
        [one] => lines.line(&format!("    {name}:\t{one}")),
        several => lines.line(&format!("    {name}s:\t{}", several.join(", "))),
    }
}

fn words(lines: &mut Lines, name: &str, words: &Value) {
    if items(words).is_empty() {
        return;
    }
    lines.line(&format!("    {name}:"));
    for word in items(words).iter().flat_map(|word| text(word).split('\n')) {
        lines.line(&format!("      {word}"));
    }
}

fn state(lines: &mut Lines, name: &str, state: &Value) {
    let at = |value: &Value| instant(value).map(rfc1123).unwrap_or_default();
    let (waiting, running, ended) = (&state["waiting"], &state["running"], &state["terminated"]);
    let mut rows: Vec<(&str, String)> = Vec::new();
    let what = if running.is_object() {
        rows.push(("Started", at(&running["startedAt"])));
        "Running"
    } else if ended.is_object() {
        rows.push(("Reason", text(&ended["reason"]).to_owned()));
        rows.push(("Exit Code", ended["exitCode"].to_string()));
        rows.push(("Started", at(&ended["startedAt"])));
        rows.push(("Finished", at(&ended["finishedAt"])));
        "Terminated"
    } else {
        rows.push(("Reason", text(&waiting["reason"]).to_owned()));
        "Waiting"
    };
    rows.retain(|(name, value)| *name != "Reason" || !value.is_empty());
    lines.line(&format!("    {name}:\t{what}"));
    for (name, value) in rows {
        lines.line(&format!("      {name}:\t{value}"));
    }
}

fn resources(lines: &mut Lines, resources: &Value) {
    for (name, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let Some(all) = resources[field].as_object().filter(|all| !all.is_empty()) else { continue };
        lines.line(&format!("    {name}:"));
        for (resource, amount) in all {
            let amount = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
            lines.line(&format!("      {resource}:\t{amount}"));
        }
    }
}

fn environment(lines: &mut Lines, env: &Value) {
    if items(env).is_empty() {
        lines.line("    Environment:\t<none>");
        return;
    }
    lines.line("    Environment:");
    for one in items(env) {
        let name = text(&one["name"]);
        let field = &one["valueFrom"]["fieldRef"];
        if field.is_object() {
            let version = field["apiVersion"].as_str().unwrap_or("v1");
            lines.line(&format!("      {name}:\t ({version}:{})", text(&field["fieldPath"])));
            continue;
        }
        for (place, value) in text(&one["value"]).split('\n').enumerate() {
            let name = if place == 0 { format!("{name}:") } else { String::new() };
            lines.line(&format!("      {name}\t{value}"));
        }
    }
}

fn mounts(lines: &mut Lines, mounts: &Value) {
    if items(mounts).is_empty() {
        lines.line("    Mounts:\t<none>");
        return;
    }
    lines.line("    Mounts:");
    let mut all: Vec<&Value> = items(mounts).iter().collect();
    all.sort_by_key(|mount| text(&mount["mountPath"]));
    for mount in all {
        let access = if mount["readOnly"] == true { "ro" } else { "rw" };
        lines.line(&format!("      {} from {} ({access})", text(&mount["mountPath"]), text(&mount["name"])));
    }
}

fn volumes(lines: &mut Lines, indent: &str, volumes: &Value) {
    if items(volumes).is_empty() {
        lines.line(&format!("{indent}Volumes:\t<none>"));
        return;
    }
    lines.line(&format!("{indent}Volumes:"));
    let space = if indent.is_empty() { "" } else { " " };
    for volume in items(volumes) {
        lines.line(&format!("  {space}{}:", text(&volume["name"])));
        let detail = |name: &str, value: &str| format!("    {name}:\t{value}");
        if volume["configMap"].is_object() {
            lines.line(&detail("Type", "ConfigMap (a volume populated by a ConfigMap)"));
            lines.line(&detail("Name", text(&volume["configMap"]["name"])));
            lines.line(&detail(
                "Optional",
                if volume["configMap"]["optional"] == true { "true" } else { "false" },
            ));
        } else if volume["emptyDir"].is_object() {
            lines.line(&detail("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)"));
            lines.line(&detail("Medium", text(&volume["emptyDir"]["medium"])));
            lines.line(&detail("SizeLimit", volume["emptyDir"]["sizeLimit"].as_str().unwrap_or("<unset>")));
        }
    }
}

fn tolerations(lines: &mut Lines, indent: &str, tolerations: &Value) {
    let mut all: Vec<&Value> = items(tolerations).iter().collect();
    all.sort_by_key(|toleration| text(&toleration["key"]));
    let one = |toleration: &&Value| {
        let part = |sign: &str, field: &str| match text(&toleration[field]) {
            "" => String::new(),
            value => format!("{sign}{value}"),
        };
        let mut shown = part("", "key") + &part("=", "value") + &part(":", "effect");
        if toleration["operator"] == "Exists" && text(&toleration["value"]).is_empty() {
            shown.push_str(if shown.is_empty() { "op=Exists" } else { " op=Exists" });
        }
        if let Some(seconds) = toleration["tolerationSeconds"].as_i64() {
            shown.push_str(&format!(" for {seconds}s"));
        }
        shown
    };
    lines.several(indent, "Tolerations", all.iter().map(one).collect());
}

/// `qos.GetPodQOS`: of CPU and memory.
fn quality(spec: &Value) -> &'static str {
    let all = || items(&spec["initContainers"]).iter().chain(items(&spec["containers"]));
    let amount =
        |container: &Value, field: &str, resource: &str| container["resources"][field].get(resource).cloned();
    const RESOURCES: [&str; 2] = ["cpu", "memory"];
    let asks = |container: &Value| {
        RESOURCES.iter().any(|resource| {
            amount(container, "limits", resource)
                .or_else(|| amount(container, "requests", resource))
                .is_some()
        })
    };
    let guaranteed = |container: &Value| {
        RESOURCES.iter().all(|resource| {
            let (limit, request) =
                (amount(container, "limits", resource), amount(container, "requests", resource));
            limit.is_some() && (request.is_none() || request == limit)
        })
    };
    if !all().any(asks) {
        "BestEffort"
    } else if all().all(guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
