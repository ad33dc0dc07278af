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
    (
        "base: &b {x: 1, y: 2}\nc: &c {x: 9, w: 1}\nd:\n  <<: [*b, *c]\n  z: 3\n",
        "kubectl does not read strictly here",
    ),
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
            wrong.push(format!(
                "{:?}\n   ours {ours:?}\n   kubectl {:?} {:?}",
                case.yaml, case.json, case.error
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lists_are_taken_apart_and_keep_their_lines() {
    let all = manifests(
        "kind: List\nitems:\n- kind: Job\n  spec:\n    x: 1\n- kind: Pod\n---\n# nothing\n---\nkind: Job\n",
    );
    let kinds: Vec<&str> = all.iter().map(Manifest::kind).collect();
    assert_eq!(kinds, ["Job", "Pod", "Job"]);
    assert_eq!(all[0].position("spec.x"), Position { line: 5, column: 8 });
    assert_eq!(all[1].position("").line, 6);
    assert_eq!(all[2].position("").line, 10);
}

#[test]
fn items_of_typed_lists_get_their_kind() {
    let all = manifests(r#"{"kind":"JobList","apiVersion":"batch/v1","items":[{"metadata":{"name":"a"}}]}"#);
    assert_eq!((all[0].kind(), all[0].api_version(), all[0].name()), ("Job", "batch/v1", "a"));
    assert_eq!(all[0].position("metadata.name").column, 72);
}

#[test]
fn json_and_yaml_may_look_alike() {
    assert_eq!(manifests("{kind: Job, spec: {}}")[0].kind(), "Job");
    assert_eq!(manifests("{\"kind\": \"Job\"}\n---\nkind: Pod\n").len(), 2);
    assert_eq!(manifests("{\"kind\": \"Job\"}\n{\"kind\": \"Pod\"}")[1].kind(), "Pod");
}

#[test]
fn what_is_no_object_is_refused() {
    assert_eq!(refusal(""), "`f` holds no object");
    assert_eq!(refusal("---\n---\n"), "`f` holds no object");
    assert!(refusal("just text").contains("found a string"));
    assert!(refusal("[1]").contains("found a list"));
    assert!(refusal("kind: List\nitems: 5\n").contains("`items` must be a list, found a number"));
    assert!(refusal("kind: List\nitems: [5]\n").contains("an item of a list must be an object"));
    assert_eq!(refusal("{\"kind\": \"Job\", \"kind\": \"Job\"}"), "invalid JSON: duplicate key `kind`");
    assert_eq!(refusal("{\"kind\": \"Jo"), "invalid JSON: the text ends inside a string");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, after) in ('a'..='h').zip('b'..='i') {
        let aliases = vec![format!("*{before}"); 10].join(", ");
        bomb.push_str(&format!("{after}: &{after} [{aliases}]\n"));
    }
    assert_eq!(refusal(&bomb), "invalid YAML: anchors and aliases copy more than 16 MiB");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 50].join(", "));
    assert_eq!(refusal(&long), "invalid YAML: anchors and aliases copy more than 16 MiB");
}

#[test]
fn deep_nesting_is_refused_whatever_the_style() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
        let title = refusal(&text);
        assert!(title.len() < 200, "{title}");
    }
    let nested: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(refusal(&nested).contains("invalid YAML"), "{}", refusal(&nested));
    let fine = format!("kind: Job\na: {}{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(manifests(&fine).len(), 1);
}
