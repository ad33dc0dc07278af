use super::*;

fn manifests(text: &str) -> Vec<Manifest> {
    parse(&Source::new("f", text)).unwrap()
}

fn refusal(text: &str) -> String {
    parse(&Source::new("f", text)).unwrap_err().title
}

/// What `kubectl`'s YAML reader (sigs.k8s.io/yaml 1.6, strict) makes of each text, recorded from the real one.
#[derive(serde::Deserialize)]
struct Recorded {
    yaml: String,
    json: Option<Value>,
    error: Option<String>,
}

/// Texts read otherwise on purpose, with the reason.
const DIFFERENT: &[(&str, &str)] = &[
    ("&x: k\n", "YAML 1.2 lets an anchor's name hold a colon"),
    ("base: &b {x: 1, y: 2}\nc: &c {x: 9, w: 1}\nd:\n  <<: [*b, *c]\n  z: 3\n", "kubectl does not read strictly here"),
    ("a: \"esc \\n \\t \\u00e9 \\x41 \\/ \\\\ \\\" \\e\"\n", "JSON escapes are fine in YAML 1.2"),
    ("a: \"\\ud83c\\udf89\"\n", "JSON escapes are fine in YAML 1.2"),
    ("a: !!binary aGVsbG8=\n", "refused: it may not be text, and its authors warn against it"),
    ("1: a\n\"1\": b\n", "the same key twice, whichever wins by chance upstream"),
    ("a: \u{85}b\n", "YAML 1.2 does not break lines at U+0085"),
    ("a: b\u{2028}c\n", "YAML 1.2 does not break lines at U+2028"),
];

/// Numbers count by their value: the record holds `-0` where we write `0`.
fn same(ours: &Value, recorded: &Value) -> bool {
    match (ours, recorded) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => ours == recorded,
    }
}

#[test]
fn yaml_means_what_kubectl_takes_it_for() {
    let recorded = include_str!("../../tests/data/kubectl-yaml.jsonl");
    let mut wrong = Vec::new();
    for line in recorded.lines() {
        let case: Recorded = serde_json::from_str(line).unwrap();
        let ours = yaml::parse(&case.yaml).map(|mut documents| match documents.len() {
            0 => Value::Null,
            _ => documents.swap_remove(0).value,
        });
        let agrees = match (&ours, &case.error) {
            (Ok(ours), None) => same(ours, case.json.as_ref().unwrap_or(&Value::Null)),
            (Err(_), Some(_)) => true,
            _ => false,
        };
        let expected = DIFFERENT.iter().any(|(text, _)| *text == case.yaml);
        if agrees == expected {
            wrong.push(format!("{:?}\n   ours {ours:?}\n   kubectl {:?} {:?}", case.yaml, case.json, case.error));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
