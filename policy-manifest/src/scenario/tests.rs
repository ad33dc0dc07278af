use super::*;

fn refused(text: &str) -> String {
    let problems = load(&Source::new("demo.yaml", text)).expect_err(text);
    problems.iter().map(|problem| problem.render(false)).collect::<Vec<_>>().join("\n\n")
}

const DEMO: &str = "\
name: demo
title: A demo
until: 5m
manifests:
- apiVersion: batch/v1
  kind: Job
  metadata: {name: work}
  spec:
    template:
      spec:
        restartPolicy: Never
        containers: [{name: main, image: busybox}]
behaviours:
- matches: {container: main}
  script: [{run: 10s}]
actions:
- {name: drain, at: 30s, drain: node-1}
assertions:
- {text: It completes, job: {name: work, condition: Complete}}
variants:
- name: late
  title: Late
  patch:
    actions:
    - {name: drain, at: 40s}
";

#[test]
fn problems_have_line_column_and_suggestion() {
    let cases = [
        ("behaviours:", "behaviors:", "demo.yaml:13:1", "did you mean `behaviours`?"),
        ("run: 10s", "run: 10", "demo.yaml:15:18", "`10` needs a unit: `10s` or `10m`"),
        ("run: 10s", "runn: 10s", "demo.yaml:15:13", "did you mean `run`?"),
        ("container: main", "container: mian", "demo.yaml:14:24", "did you mean `main`?"),
        ("at: 30s", "at: 6m", "demo.yaml:17:21", "`6m` is after the end of the run at `5m`"),
        ("drain: node-1", "drain: node-7", "demo.yaml:17:33", "there is no node `node-7`"),
        ("at: 40s", "at: 40m", "demo.yaml:25:25", "`40m` is after the end of the run"),
        ("job: {name: work", "job: {name: wrok", "demo.yaml:19:36", "did you mean `work`?"),
        ("restartPolicy: Never", "restartPolicy: Nevr", "demo.yaml:11:24", "Unsupported value"),
        ("condition: Complete", "conditon: Complete", "demo.yaml:19:42", "did you mean `condition`?"),
    ];
    assert!(load(&Source::new("demo.yaml", DEMO)).is_ok());
    for (right, wrong, place, part) in cases {
        let shown = refused(&DEMO.replacen(right, wrong, 1));
        assert!(
            shown.contains(place) && shown.contains(part),
            "{wrong}: no `{place}` and `{part}` in\n{shown}"
        );
    }
}

#[test]
fn other_files_are_told_apart() {
    assert!(refused("apiVersion: batch/v1\nkind: Job\n").contains("jobpolicy simulate demo.yaml"));
    assert!(refused("name: a\n---\nname: b\n").contains("several documents"));
}
