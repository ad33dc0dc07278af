use super::*;

const DOLLAR: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: process-item-$ITEM
  labels: {jobgroup: jobexample}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox:1.28
        command: [sh, -c, 'echo Processing item ${ITEM} && sleep 5 && echo $$HOME $(date)']
";

const JINJA: &str = "\
{% for p in params %}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: jobexample-{{ p.name }}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox:1.28
        command: [sh, -c, 'echo Processing URL {{ p.url }}']
{% endfor %}
";

fn expanded(name: &str, text: &str, values: &Values) -> Result<Vec<Expansion>, Vec<String>> {
    let template = Source::new(name, text);
    expand(&template, Syntax::of(&template), values)
        .map_err(|problems| problems.iter().map(|problem| problem.render(false)).collect())
}

fn sets(sets: &[&str]) -> Values {
    Values::from_sets(&sets.iter().map(|set| (*set).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn values(text: &str) -> Values {
    Values::from_source(&Source::new("params.yaml", text)).unwrap()
}

#[test]
fn each_item_makes_a_manifest() {
    let made = expanded("job-tmpl.yaml", DOLLAR, &sets(&["ITEM=apple,banana,cherry"])).unwrap();
    let names: Vec<&str> = made.iter().map(|one| one.manifests[0].name()).collect();
    assert_eq!(names, ["process-item-apple", "process-item-banana", "process-item-cherry"]);
    assert!(
        made[1].text.contains("Processing item banana && sleep 5 && echo $HOME $(date)"),
        "{}",
        made[1].text
    );
    let same = expanded("job-tmpl.yaml", DOLLAR, &values("ITEM: [apple, banana, cherry]")).unwrap();
    assert_eq!(
        made.iter().map(|m| &m.text).collect::<Vec<_>>(),
        same.iter().map(|m| &m.text).collect::<Vec<_>>()
    );
}

#[test]
fn jinja_takes_the_list_or_an_entry_at_a_time() {
    let list =
        values("- {name: apple, url: https://example.com/a}\n- {name: fig, url: https://example.com/f}\n");
    let made = expanded("job.yaml.jinja2", JINJA, &list).unwrap();
    let names: Vec<&str> = made[0].manifests.iter().map(Manifest::name).collect();
    assert_eq!((made.len(), names), (1, vec!["jobexample-apple", "jobexample-fig"]));
    let single =
        JINJA.replace("{% for p in params %}\n---\n", "").replace("{% endfor %}\n", "").replace("p.", "");
    let made = expanded("job.yaml.jinja2", &single, &list).unwrap();
    assert_eq!((made.len(), made[1].manifests[0].name()), (2, "jobexample-fig"));
}

#[test]
fn values_go_together() {
    let Values::Entries(entries) = sets(&["A=1,2", "B=x"]) else { panic!("entries") };
    assert_eq!(described(&entries[1]), "A=`2`, B=`x`");
    let refused =
        |sets: &[&str]| Values::from_sets(&sets.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
    assert!(refused(&["A=1,2", "B=1,2,3"]).unwrap_err().title.contains("`A` has 2 values, but `B` has 3"));
    assert!(refused(&["A"]).unwrap_err().title.contains("is not like"));
    assert!(refused(&["A=1", "A=2"]).unwrap_err().title.contains("set twice"));
}

/// What goes wrong names the line and the column of the template.
#[test]
fn mistakes_are_shown_in_the_template() {
    let item = sets(&["ITEM=apple"]);
    let cases: Vec<(&str, String, Values, &[&str])> = vec![
        (
            "t.yaml",
            DOLLAR.into(),
            Values::Nothing,
            &["no value for the parameter `ITEM`", "t.yaml:4:22", "--set ITEM="],
        ),
        (
            "t.yaml",
            DOLLAR.into(),
            sets(&["item=x"]),
            &["no value for the parameter `ITEM`", "case-sensitive"],
        ),
        ("t.yaml", DOLLAR.into(), sets(&["ITEM=a", "N=1"]), &["has no placeholder `$N`"]),
        (
            "t.yaml",
            DOLLAR.into(),
            sets(&["ITEM=Foo_Bar"]),
            &[
                "metadata.name: Invalid value",
                "t.yaml:4:9",
                "becomes `process-item-Foo_Bar`",
                "ITEM=`Foo_Bar`",
            ],
        ),
        (
            "t.yaml",
            DOLLAR.into(),
            sets(&["ITEM=a,a"]),
            &["there are two of Job `process-item-a`", "t.yaml:4:9"],
        ),
        (
            "t.yaml",
            DOLLAR.replace("restartPolicy: Never", "restartPolicy: Nevr"),
            item.clone(),
            &["restartPolicy", "t.yaml:9:22"],
        ),
        ("t.yaml", DOLLAR.replace("spec:\n  template", "spec:\n  tmplate"), item.clone(), &["t.yaml:"]),
        ("t.yaml", DOLLAR.replace("kind: Job", "kind: 'Job"), item.clone(), &["invalid YAML", "t.yaml:"]),
        ("t.j2", JINJA.replace("p.name", "p.nam"), values("- {name: a, url: u}"), &["t.j2:6:"]),
        ("t.j2", JINJA.into(), Values::Nothing, &["no value for the parameter `params`", "t.j2:1:13"]),
        (
            "t.j2",
            JINJA.replace("{% endfor %}", ""),
            Values::Nothing,
            &["bad template: syntax error", "t.j2:"],
        ),
        (
            "t.j2",
            JINJA.into(),
            values("- {name: A_B, url: u}"),
            &["metadata.name: Invalid value", "t.j2:6:9", "becomes `jobexample-A_B`"],
        ),
        ("t.j2", "{% for x in range(100000000) %}{{ x }}{% endfor %}".into(), Values::Nothing, &["t.j2:1:"]),
    ];
    for (name, text, values, parts) in cases {
        let problems = expanded(name, &text, &values).expect_err(&text);
        for part in parts {
            assert!(problems[0].contains(part), "no `{part}` in\n{}", problems.join("\n"));
        }
    }
}
