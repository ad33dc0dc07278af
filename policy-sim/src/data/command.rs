//! What a container does when no behaviour matches it: a plain reading of its command.
//!
//! Understood are `sleep N`, `exit N`, `true`, `false`, `echo …`, `date`, `pwd` and `:`, alone, or several of them in
//! `sh -c` (also `bash`, `ash`, `/bin/sh`; options joined as in `-ec`) with `;`, `&&` and line ends between them. All
//! else works for five seconds and ends well.

use crate::config::Act;

/// How long a command works that is not understood.
const UNKNOWN_MILLIS: u64 = 5_000;

/// The script that stands for a command.
pub(super) fn script(words: &[String]) -> Vec<Act> {
    read(words).unwrap_or_else(|| vec![Act::Run(UNKNOWN_MILLIS)])
}

fn read(words: &[String]) -> Option<Vec<Act>> {
    let (program, args) = words.split_first()?;
    if !is_shell(program) {
        return Some(vec![statement(words)?]);
    }
    let (option, rest) = args.split_first()?;
    let text = rest.first().filter(|_| option.starts_with('-') && option.ends_with('c'))?;
    let mut acts = Vec::new();
    let parts = text.split([';', '\n']).flat_map(|part| part.split("&&"));
    for part in parts.filter(|part| !part.trim().is_empty()) {
        // What comes after `exit` does not matter; what comes after `false` depends on more than is understood.
        match acts.last() {
            Some(Act::Exit(code)) => return (*code != 1 || text.contains("exit")).then_some(acts),
            _ => acts.push(statement(&unquoted(part)?)?),
        }
    }
    Some(acts)
}

fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("sh" | "bash" | "ash"))
}

/// The words of a simple command. Of quotes, only those around whole words or the whole rest are understood.
fn unquoted(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => rest.get(1..)?.split_once(first)?,
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_string());
        rest = after.trim_start();
    }
    Some(words)
}

fn statement(words: &[String]) -> Option<Act> {
    let (program, args) = words.split_first()?;
    let first = args.first().map(String::as_str);
    match (program.rsplit('/').next()?, first) {
        ("sleep", Some("infinity" | "inf")) => Some(Act::Block),
        ("sleep", Some(time)) => Some(Act::Run(sleep_millis(time)?)),
        ("exit", Some(code)) => Some(Act::Exit(code.parse::<i32>().ok()? & 0xff)),
        ("exit", None) => Some(Act::Exit(0)),
        ("true" | ":", None) => Some(Act::Run(0)),
        ("false", None) => Some(Act::Exit(1)),
        ("echo", _) if !args.iter().any(|arg| arg.contains(['`', '|', '>', '<'])) => {
            Some(Act::Print(with_braces(&args.join(" "))))
        }
        ("date", None) => Some(Act::Print("${NOW}".into())),
        ("pwd", None) => Some(Act::Print("/".into())),
        _ => None,
    }
}

/// `1.5`, `10s`, `2m`, `1h`, `1d` in milliseconds.
fn sleep_millis(time: &str) -> Option<u64> {
    let (number, unit) = match time.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, time.get(number.len()..)?),
        None => (time, "s"),
    };
    let seconds = match unit {
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => 1.0,
    };
    let number = number.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)?;
    Some((number * seconds * 1_000.0) as u64)
}

/// `$NAME` written as `${NAME}`.
fn with_braces(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        match name {
            "" => out.push('$'),
            _ => {
                out.push_str("${");
                out.push_str(name);
                out.push('}');
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Vec<Act> {
        script(&["sh".into(), "-c".into(), text.into()])
    }

    #[test]
    fn simple_commands_are_read() {
        assert_eq!(shell("sleep 3; exit 42"), [Act::Run(3_000), Act::Exit(42)]);
        assert_eq!(
            shell("date; echo Hello from $POD_NAME"),
            [Act::Print("${NOW}".into()), Act::Print("Hello from ${POD_NAME}".into())]
        );
        let echo = "echo \"Processing item apple\" && sleep 5";
        assert_eq!(shell(echo), [Act::Print("Processing item apple".into()), Act::Run(5_000)]);
        assert_eq!(script(&["sleep".into(), "1.5".into()]), [Act::Run(1_500)]);
        assert_eq!(script(&["/bin/false".into()]), [Act::Exit(1)]);
        assert_eq!(shell("true"), [Act::Run(0)]);
    }

    #[test]
    fn what_follows_an_exit_does_not_run() {
        assert_eq!(shell("exit 3; rm -rf x"), [Act::Exit(3)]);
        assert_eq!(shell("sleep 1; false"), [Act::Run(1_000), Act::Exit(1)]);
        assert_eq!(shell("false; true"), [Act::Run(5_000)]);
    }

    #[test]
    fn anything_else_works_for_five_seconds() {
        let perl = ["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"].map(String::from);
        assert_eq!(script(&perl), [Act::Run(5_000)]);
        assert_eq!(shell("for i in 1 2; do echo $i; done"), [Act::Run(5_000)]);
        assert_eq!(shell("rm -f x; false || true"), [Act::Run(5_000)]);
        assert_eq!(script(&[]), [Act::Run(5_000)]);
    }
}
