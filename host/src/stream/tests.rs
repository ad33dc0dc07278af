use super::*;

fn echo(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    let value: Value = serde_json::from_slice(line).map_err(|e| LineError::undecodable(line, &e))?;
    out.extend_from_slice(value.to_string().as_bytes());
    Ok(())
}

fn answers(input: &[u8]) -> (Vec<String>, Summary) {
    let mut output = Vec::new();
    let summary = run(&mut &*input, &mut output, echo).unwrap();
    let text = String::from_utf8(output).unwrap();
    (text.lines().map(str::to_owned).collect(), summary)
}

#[test]
fn every_line_gets_a_line() {
    let (lines, summary) = answers(b"{\"id\":1}\n\nnot json\r\n  \n{\"id\":2}\r\n[3]");
    assert_eq!(lines.len(), 6);
    assert_eq!(summary, Summary { lines: 6, refused: 3 });
    assert_eq!(lines[0], "{\"id\":1}");
    assert!(lines[1].contains("empty"), "{}", lines[1]);
    assert!(lines[2].starts_with("{\"id\":null,\"error\":"), "{}", lines[2]);
    assert_eq!((lines[4].as_str(), lines[5].as_str()), ("{\"id\":2}", "[3]"));
    assert_eq!(answers(b"").1, Summary::default());
}

/// Gives one byte at a time, to meet every split of a line over reads.
struct Drip<'t>(&'t [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (first, rest) = self.0.split_at(usize::from(!self.0.is_empty()));
        self.0 = rest;
        buffer[..first.len()].copy_from_slice(first);
        Ok(first.len())
    }
}

#[test]
fn lines_may_arrive_in_pieces() {
    let mut output = Vec::new();
    run(&mut Drip(b"{\"id\":1}\n{\"id\":2}\n[3]"), &mut output, echo).unwrap();
    assert_eq!(output, b"{\"id\":1}\n{\"id\":2}\n[3]\n");
}

#[test]
fn an_answer_that_fails_half_way_leaves_nothing_behind() {
    let mut output = Vec::new();
    let failing = |_: &[u8], out: &mut Vec<u8>| {
        out.extend_from_slice(b"half");
        Err(LineError { id: 7.into(), message: "no".to_owned() })
    };
    run(&mut &b"{}\n"[..], &mut output, failing).unwrap();
    assert_eq!(output, b"{\"id\":7,\"error\":\"no\"}\n");
}

#[test]
fn subjects_are_told_apart_by_top_level_keys() {
    let subject = |text: &str| subject(text.as_bytes());
    assert_eq!(subject(r#"{"id":"job","now":"x","job":{}}"#), Some(Subject::Job));
    assert_eq!(subject(r#"{"id":"a\"job\":","x":{"job":1},"cronJob" : {}}"#), Some(Subject::CronJob));
    assert_eq!(subject(r#"{"jobs":[],"cronJob":{}}"#), Some(Subject::CronJob));
    for text in ["", "{", "\"", "{\"job", "{\"job\"", "[\"job\"]", "{\"a\":\"\\", "}}}{\"a\":1}"] {
        assert_eq!(subject(text), None, "{text}");
    }
}

#[test]
fn lines_without_a_subject_keep_their_id() {
    let error = no_subject(br#"{"id":"x","pods":[]}"#);
    assert_eq!(
        (error.id, error.message.as_str()),
        ("x".into(), "expected an object with `job` or `cronJob`")
    );
}
