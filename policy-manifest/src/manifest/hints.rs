//! What to do about common mistakes in YAML, guessed from the text where reading stopped.

/// A hint for a syntax error at a byte of the text.
pub(super) fn for_syntax(text: &str, offset: usize) -> Option<String> {
    let (line_before, line) = lines_at(text, offset);
    let hint = if line.contains("{{") || line_before.contains("{{") {
        "this looks like a template; render it first, for example with `helm template`"
    } else if indentation(line).contains('\t') || indentation(line_before).contains('\t') {
        "indent with spaces; YAML does not allow tabs there"
    } else if value_starts_with(line, &['@', '`', '%', '*', '&', '!']) {
        "put the value in quotes"
    } else if line.matches(": ").count() > 1 || line_before.matches(": ").count() > 1 {
        "a value with `: ` in it needs quotes"
    } else if odd_quotes(line) || odd_quotes(line_before) {
        "check that every quote is closed"
    } else if has_value(line_before) && indentation(line).len() > indentation(line_before).len() {
        "this line is indented deeper than the one before, which has a value already"
    } else if is_bare_word(line) {
        "expected `key: value`; a colon may be missing"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// The line before the offset and the line with it; at a line's start or the text's end, the last line with content.
fn lines_at(text: &str, offset: usize) -> (&str, &str) {
    let offset = text.floor_char_boundary(offset);
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let mut before = text[..start].lines().rev().filter(|line| !line.trim().is_empty());
    let line = text[start..].lines().next().unwrap_or_default();
    if line.trim().is_empty() {
        let line = before.next().unwrap_or_default();
        return (before.next().unwrap_or_default(), line);
    }
    (before.next().unwrap_or_default(), line)
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn value_of(line: &str) -> Option<&str> {
    line.split_once(": ").map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

fn has_value(line: &str) -> bool {
    value_of(line).is_some()
}

fn value_starts_with(line: &str, starts: &[char]) -> bool {
    value_of(line).is_some_and(|value| value.starts_with(starts))
}

fn odd_quotes(line: &str) -> bool {
    line.matches('"').count() % 2 == 1 || line.matches('\'').count() % 2 == 1
}

fn is_bare_word(line: &str) -> bool {
    !line.contains(':') && !line.trim_start().starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::super::yaml;

    fn hint(text: &str) -> String {
        yaml::parse(text).unwrap_err().help.unwrap_or_default()
    }

    #[test]
    fn common_mistakes_get_a_hint() {
        for (text, part) in [
            ("a:\n\tb: 1\n", "spaces"),
            ("schedule: @daily\n", "quotes"),
            ("a: b: c\n", "quotes"),
            ("name: {{ .Values.name }}-x\n", "template"),
            ("a: \"open\nb: 1\n", "quote is closed"),
            ("a: 1\n  b: 2\n", "deeper"),
            ("a: 1\nword\nb: 2\n", "colon"),
        ] {
            assert!(hint(text).contains(part), "{text:?}: {:?}", hint(text));
        }
    }
}
