//! The rules themselves: their long texts, and the code that was meant.

use policy_core::explain::Rule;

/// The rule with this code, or the code that is most like it.
///
/// # Errors
/// The nearest code, if one is near.
pub fn find(code: &str) -> Result<Rule, Option<&'static str>> {
    Rule::by_code(code).ok_or_else(|| nearest(code))
}

/// The code nearest to a text: a third of its letters may be wrong, or it is a part of one code only.
fn nearest(text: &str) -> Option<&'static str> {
    let codes = || Rule::ALL.iter().map(|rule| rule.code());
    let text = text.to_ascii_lowercase().replace(['_', ' '], "-");
    let near = codes().map(|code| (distance(&text, code), code)).min()?;
    if near.0 <= text.len().max(near.1.len()) / 3 {
        return Some(near.1);
    }
    let mut parts = codes().filter(|code| text.len() >= 4 && code.contains(&text));
    parts.next().filter(|_| parts.next().is_none())
}

/// How many letters must be put in, taken out or changed to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The long text of a rule, lines as they are written, with the blank that doc comments begin with taken off.
pub fn text(rule: Rule) -> String {
    let lines = rule.text().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first paragraph of a rule's text, on one line.
pub fn headline(rule: Rule) -> String {
    let text = text(rule);
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_code_that_was_meant() {
        assert_eq!(find("backoff-limit-exceeded"), Ok(Rule::BackoffLimitExceeded));
        assert_eq!(find("backof-limit-exeeded"), Err(Some("backoff-limit-exceeded")));
        assert_eq!(find("Backoff_Limit_Exceeded"), Err(Some("backoff-limit-exceeded")));
        assert_eq!(find("slow-start"), Err(Some("slow-start-stopped")));
        assert_eq!(find("pizza"), Err(None));
        assert_eq!(find(""), Err(None));
    }

    #[test]
    fn every_rule_has_a_headline_that_ends_as_a_sentence_does() {
        for rule in Rule::ALL {
            let headline = headline(*rule);
            assert!(headline.ends_with(['.', ':']) && !headline.contains('\n'), "{rule}: {headline}");
        }
    }
}
