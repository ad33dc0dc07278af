//! Any bytes to any command give a clear message and exit code 2 (or an answer), never a panic.

mod common;

use common::run;

/// Input that no command can use, and a part of the message that says so.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let deep_json = format!("{{\"kind\": \"Job\", \"a\": {}", "[".repeat(200_000));
    let deep_yaml: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, after) in ('a'..='h').zip('b'..='i') {
        laughs.push_str(&format!("{after}: &{after} [{}]\n", vec![format!("*{before}"); 10].join(", ")));
    }
    vec![
        ("empty", Vec::new(), "holds no object"),
        ("blank", b"\n\n  \n".to_vec(), "holds no object"),
        ("comments", b"# nothing\n---\n# here\n".to_vec(), "holds no object"),
        ("binary", (0..=255).cycle().take(10_000).collect(), "control character 0x00"),
        ("elf", b"\x7fELF\x02\x01\x01\x00".to_vec(), "<stdin>:1:1: "),
        ("gzip", vec![0x1f, 0x8b, 0x08, 0x00, 0xff], "is it compressed"),
        ("latin-1", b"kind: Job\nname: caf\xe9\n".to_vec(), "<stdin>:2:10: byte 0xe9 is not UTF-8"),
        ("utf-16", b"\xff\xfek\x00i\x00".to_vec(), "UTF-16"),
        ("cut json", b"{\"kind\": \"Job\", \"spec\": {".to_vec(), "the text ends inside an object"),
        ("cut yaml", b"kind: Job\nspec: {a: [1,\n".to_vec(), "invalid YAML"),
        ("comma", b"{\"kind\": \"Pod\",}".to_vec(), "there is no "),
        ("deep json", deep_json.into_bytes(), "128 deep"),
        ("deep yaml", deep_yaml.into_bytes(), "invalid YAML"),
        ("laughs", laughs.into_bytes(), "copy more than 16 MiB"),
        ("text", b"hello world".to_vec(), "found a string"),
        ("number", b"42".to_vec(), "found a number"),
        ("list", b"- 1\n- 2\n".to_vec(), "found a list"),
        ("tab", b"kind: Job\nspec:\n\ta: 1\n".to_vec(), "indent with spaces"),
        ("twice", b"kind: Job\nmetadata:\n  name: a\n  name: b\n".to_vec(), "duplicate key `name`"),
        ("template", b"kind: Job\nmetadata:\n  name: {{ .Values.name }}\n".to_vec(), "helm template"),
        ("colon", b"kind: Job\nschedule: a: b\n".to_vec(), "needs quotes"),
    ]
}

#[test]
fn hostile_input_gets_a_message_with_its_place() {
    for (name, input, part) in hostile() {
        for command in ["decide", "explain", "validate", "schedule"] {
            let ran = run(&[command, "-"], &input);
            assert_eq!(ran.code, 2, "{command} of {name}: {ran:?}");
            assert!(ran.err.starts_with("error: "), "{command} of {name}: {ran:?}");
            assert!(ran.err.contains(part), "{command} of {name}: {ran:?}");
            assert!(!ran.err.contains('\u{1b}'), "{command} of {name} moves the cursor: {ran:?}");
        }
    }
}

#[test]
fn hostile_lines_get_an_answer_each() {
    for (name, input, _) in hostile() {
        for command in ["decide", "validate", "schedule"] {
            let lines = input.split(|byte| *byte == b'\n').count() - usize::from(input.ends_with(b"\n"));
            let lines = if input.is_empty() { 0 } else { lines };
            let ran = run(&[command, "--stream"], &input);
            let answers: Vec<serde_json::Value> =
                ran.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
            assert_eq!(answers.len(), lines, "{command} of {name}");
            assert_eq!(ran.code, i32::from(lines > 0), "{command} of {name}: {}", ran.err);
            assert!(answers.iter().all(|answer| answer["error"].is_string()), "{command} of {name}");
            assert_eq!(ran.err, "", "{command} of {name}");
        }
    }
}

#[test]
fn escape_codes_in_the_input_do_not_reach_the_terminal() {
    let manifest = r#"
apiVersion: batch/v1
kind: CronJob
metadata: {name: "\e[31mred\a", namespace: "\e]0;title\a"}
spec: {schedule: "\e[2J * * * *", timeZone: "\e[1m", "\e[0m": 1, jobTemplate: {}}
"#;
    for command in ["decide", "explain", "validate", "schedule"] {
        let ran = run(&[command, "-"], manifest.as_bytes());
        assert_eq!(ran.code, 1, "{command}: {ran:?}");
        let printed = ran.out + &ran.err;
        assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{command}: {printed:?}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    for (path, part) in [("missing.yaml", "no such file"), (".", "it is a directory")] {
        for command in ["decide", "explain", "validate"] {
            let ran = run(&[command, path], b"");
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(ran.err.contains(&format!("cannot read `{path}`: {part}")), "{ran:?}");
            assert!(ran.err.contains("help: "), "{ran:?}");
            assert_eq!(ran.out, "");
        }
    }
}

#[test]
fn recordings_that_cannot_be_read_are_named() {
    for (path, part) in [
        ("missing", "cannot read `missing`: there is nothing of that name"),
        ("new.yaml", "cannot read `new.yaml`: it is not a directory"),
        ("..", "no recorded stream, expected files like `jobs.ndjson`"),
    ] {
        let ran = run(&["replay", path], b"");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(part), "{ran:?}");
        assert_eq!(ran.out, "");
    }
}

#[test]
fn escape_codes_of_a_cluster_do_not_reach_the_terminal() {
    let listed = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: "\e[31mred", namespace: "\e]0;title\a", uid: u}
spec: {managedBy: "\e[2J", selector: {}}
status: {conditions: [{type: Failed, status: "True", reason: "\e[1m", message: "a\nb"}]}
"#;
    let ran = run(&["explain", "-", "--all"], listed.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.chars().all(|c| c == '\n' || !c.is_control()), "{ran:?}");
}

#[test]
fn one_bad_file_among_good_ones_stops_decide_before_any_output() {
    let ran = run(&["decide", "job-with-pods.yaml", "missing.yaml", "-"], b"{");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("missing.yaml") && ran.err.contains("<stdin>:1:"), "{ran:?}");
}

#[test]
fn standard_input_is_read_once() {
    let ran = run(&["decide", "-", "-"], b"kind: Job\n");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("given twice"), "{ran:?}");
}

#[test]
fn wrong_command_lines_end_with_2_and_say_what_is_right() {
    for (args, part) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["decide"], "required arguments were not provided"),
        (&["decide", "-", "--now", "noon"], "is not a time like"),
        (&["decide", "-", "--only", "pod/x"], "`job/NAME`"),
        (&["decide", "-", "--stream"], "cannot be used with"),
        (&["decide", "-", "--output", "xml"], "possible values: table, json, yaml"),
        (&["schedule", "* * * * *", "--next", "0"], "1..=10000"),
        (&["validate", "-", "--subresource", "status"], "--old"),
        (&["completions", "csh"], "possible values"),
        (&["replay"], "required arguments were not provided"),
    ] {
        let ran = run(args, b"");
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(ran.err.contains(part), "{args:?}: {ran:?}");
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"\xff.yaml");
    for command in ["decide", "validate", "schedule"] {
        let output = common::command(&[command]).arg(odd).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read"), "{command}");
    }
}
