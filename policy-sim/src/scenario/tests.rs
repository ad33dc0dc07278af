use super::*;
use serde_json::json;

fn document() -> Value {
    json!({
        "name": "demo", "title": "A demo", "until": "5m",
        "queues": {"mq/jobs": {"kind": "amqp", "items": ["a"]}},
        "manifests": [{
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
            "spec": {"completions": 2, "template": {"spec": {"restartPolicy": "Never",
                "containers": [{"name": "main", "image": "busybox:1.28"}]}}},
        }],
        "behaviours": [{"name": "work", "matches": {"job": "work", "container": "main"},
            "script": [{"consume": {"queue": "mq/jobs", "work": [{"run": "10s"}]}}]}],
        "actions": [{"name": "drain", "at": "30s", "drain": "node-1"}],
        "assertions": [{"text": "it completes", "job": {"name": "work", "condition": "Complete"}}],
        "variants": [{"name": "long", "title": "Longer", "patch": {"until": "10m"}}],
    })
}

/// The problems of the demo with a change.
fn problems_of(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document = document();
    change(&mut document);
    Document::load(document).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn loads_with_its_variants() {
    let document = Document::load(document()).unwrap();
    assert_eq!(document.scenario("long").unwrap().until.to_string(), "10m");
    assert_eq!(document.scenario(BASE).unwrap().until.to_string(), "5m");
    let problem = document.scenario("lnog").unwrap_err();
    assert_eq!(problem.help.as_deref(), Some("did you mean `long`?"));
}

#[test]
fn names_have_to_name_something() {
    let cases: &[(&str, Value, &str)] = &[
        ("/behaviours/0/matches/job", json!("wrok"), "did you mean `work`?"),
        ("/behaviours/0/matches/container", json!("mian"), "did you mean `main`?"),
        ("/behaviours/0/matches", json!({"indexes": "2-1"}), "expected indexes like"),
        ("/behaviours/0/script/0/consume/queue", json!("mq/job"), "did you mean `mq/jobs`?"),
        ("/actions/0/drain", json!("node1"), "did you mean `node-1`?"),
        ("/actions/0/drain", json!({"node": "node-9"}), "actions[0].drain.node: there is no node"),
        ("/assertions/0/job/name", json!("works"), "did you mean `work`?"),
        ("/assertions/0", json!({"text": "x", "queue": {"name": "mq/jobs"}}), "expected `waiting`"),
        ("/assertions/0", json!({"text": "x", "log": {"job": "work"}}), "expected either `contains`"),
    ];
    for (pointer, value, expected) in cases {
        let found = problems_of(|document| *document.pointer_mut(pointer).unwrap() = value.clone());
        assert!(found.iter().any(|problem| problem.contains(expected)), "{pointer}: {found:?}");
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[test]
fn times_have_to_be_possible() {
    let cases: &[(&str, Value, &str)] = &[
        ("/actions/0/at", json!("6m"), "`6m` is after the end of the run at `5m`"),
        ("/actions/0", json!({"drain": "node-1"}), "the action has no time"),
        (
            "/actions/0",
            json!({"at": "1s", "after": "drain", "name": "drain", "drain": "node-1"}),
            "exclude each other",
        ),
        (
            "/actions/0",
            json!({"after": "drian", "name": "drain", "drain": "node-1"}),
            "did you mean `drain`?",
        ),
        ("/actions/0", json!({"after": "drain", "name": "drain", "drain": "node-1"}), "waits for itself"),
        ("/actions/0", json!({"at": "1s", "times": 2, "drain": "node-1"}), "`times` needs `every`"),
        (
            "/assertions/0",
            json!({"text": "x", "first": {"min": "2m", "max": "1m"}, "job": {"name": "work"}}),
            "the window is empty",
        ),
        ("/assertions/0", json!({"text": "x", "at": "1s", "outcome": "finished"}), "at the end only"),
        (
            "/assertions/0",
            json!({"text": "x", "at": "1s", "never": true, "job": {"name": "work"}}),
            "exclude",
        ),
    ];
    for (pointer, value, expected) in cases {
        let found = problems_of(|document| *document.pointer_mut(pointer).unwrap() = value.clone());
        assert!(found.iter().any(|problem| problem.contains(expected)), "{pointer}: {found:?}");
    }
}

#[test]
fn manifests_are_checked_as_the_api_server_would() {
    let found = problems_of(|document| document["manifests"][0]["spec"]["completions"] = json!(-1));
    assert!(found[0].starts_with("manifests[0].spec.completions: "), "{found:?}");
    let found = problems_of(|document| document["manifests"][0]["spec"]["complitions"] = json!(1));
    assert!(found[0].contains("manifests[0].spec.complitions"), "{found:?}");
}

#[test]
fn problems_of_a_variant_are_placed_where_they_were_written() {
    let found = problems_of(|document| {
        document["variants"][0]["patch"] =
            json!({"behaviours": [{"name": "work", "matches": {"job": "wrk"}}]});
    });
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("variants[0].patch.behaviours[0].matches.job: "), "{found:?}");
    let found = problems_of(|document| document["variants"][0]["patch"] = json!({"untill": "3m"}));
    assert_eq!(found, ["variants[0].patch.untill: unknown key `untill` (did you mean `until`?)"]);
    let found = problems_of(|document| document["variants"][0]["patch"] = json!({"until": "20s"}));
    assert!(found[0].starts_with("actions[0].at: "), "{found:?}");
}

#[test]
fn problems_of_the_scenario_are_told_once() {
    let found = problems_of(|document| document["actions"][0]["drain"] = json!("node-7"));
    assert_eq!(found.len(), 1, "{found:?}");
}

/// The properties of the schema that a document uses, as `definition.property`.
fn used(rules: &Value, value: &Value, name: &str, found: &mut std::collections::BTreeSet<String>) {
    let is = |rules: &Value| {
        let kind = &resolved(rules)["type"];
        let named = |kind: &Value| match kind.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer" | "number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => value.is_null(),
        };
        kind.as_array().map_or_else(|| named(kind), |kinds| kinds.iter().any(named))
    };
    let (rules, name) = match rules["$ref"].as_str() {
        Some(reference) => (resolved(rules), reference.rsplit('/').next().unwrap_or_default().to_owned()),
        None => (rules, name.to_owned()),
    };
    if let Some(alternatives) = rules["anyOf"].as_array() {
        let fitting = alternatives.iter().find(|rules| is(rules)).expect("one fits");
        return used(fitting, value, &name, found);
    }
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match rules["properties"].get(key) {
                    Some(rules) => {
                        found.insert(format!("{name}.{key}"));
                        used(rules, inner, &format!("{name}.{key}"), found);
                    }
                    None if rules["additionalProperties"].is_object() => {
                        used(&rules["additionalProperties"], inner, &format!("{name}.*"), found);
                    }
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|inner| used(&rules["items"], inner, &format!("{name}[]"), found));
        }
        _ => {}
    }
}

fn resolved(rules: &Value) -> &Value {
    match rules["$ref"].as_str() {
        Some(reference) => &schema::schema()["$defs"][reference.rsplit('/').next().unwrap_or_default()],
        None => rules,
    }
}

/// All properties of the schema, named the same way.
fn known(rules: &Value, name: &str, found: &mut std::collections::BTreeSet<String>) {
    for (key, inner) in rules["properties"].as_object().into_iter().flatten() {
        found.insert(format!("{name}.{key}"));
        known(inner, &format!("{name}.{key}"), found);
    }
    for alternative in rules["anyOf"].as_array().into_iter().flatten() {
        known(alternative, name, found);
    }
    if rules["items"].is_object() {
        known(&rules["items"], &format!("{name}[]"), found);
    }
    if rules["additionalProperties"].is_object() {
        known(&rules["additionalProperties"], &format!("{name}.*"), found);
    }
}

/// What the schema knows, the model reads, and a document that uses all of it shows that.
#[test]
fn the_schema_and_the_model_agree() {
    let everything: Value = serde_json::from_str(include_str!("tests/everything.json")).unwrap();
    let shown: Vec<String> = schema::problems(&everything).iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    let scenario: Scenario = serde_json::from_value(everything.clone()).unwrap();
    assert_eq!(scenario.actions.len(), everything["actions"].as_array().unwrap().len());
    let (mut all, mut seen) = Default::default();
    known(schema::schema(), "", &mut all);
    for (name, definition) in schema::schema()["$defs"].as_object().unwrap() {
        known(definition, name, &mut all);
    }
    used(schema::schema(), &everything, "", &mut seen);
    let unused: Vec<&String> = all.difference(&seen).collect();
    assert!(unused.is_empty(), "tests/everything.json does not use {unused:?}");
}

#[test]
fn a_run_that_is_cut_short_still_ends() {
    let mut document = document();
    document["assertions"][0]["at"] = json!("4m");
    document["actions"] = json!([]);
    document["queues"]["mq/jobs"]["items"] = json!(["a", "b"]);
    let document = Document::load(document).unwrap();
    let until = Some(Duration::from_seconds(120));
    let mut run = Run::new(document.base(), Options { until, ..Options::default() });
    assert_eq!(run.finish(), crate::Ending::Finished);
    assert!(run.elapsed() < Duration::from_seconds(60));
}
