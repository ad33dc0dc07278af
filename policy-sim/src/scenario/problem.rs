//! What is wrong with a scenario, and where.

use std::fmt;

/// One step on the way from a document to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// The value of a key.
    Key(String),
    /// An item of a list.
    Index(usize),
}

/// The way from a document to a value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(pub Vec<PathStep>);

impl FieldPath {
    /// One step further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(PathStep::Key(key.to_owned()))
    }

    /// One step further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(PathStep::Index(index))
    }

    fn with(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        FieldPath(steps)
    }

    /// The steps of a path in Kubernetes' notation, after this one: `spec.containers[0].name`, `labels[app]`.
    #[must_use]
    pub fn field(&self, field: &str) -> Self {
        let mut steps = self.0.clone();
        let mut rest = field;
        while !rest.is_empty() {
            let (text, after) = match rest.strip_prefix('[') {
                Some(inside) => inside.split_once(']').unwrap_or((inside, "")),
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            let step = match text.parse() {
                Ok(index) if rest.starts_with('[') => PathStep::Index(index),
                _ => PathStep::Key(text.to_owned()),
            };
            steps.push(step);
            rest = after.strip_prefix('.').unwrap_or(after);
        }
        FieldPath(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) if key.contains(['.', '/', '[']) => write!(f, "[{key}]")?,
                PathStep::Key(key) if place == 0 => f.write_str(key)?,
                PathStep::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// One thing that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: FieldPath,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new(path: &FieldPath, message: impl Into<String>) -> Self {
        Problem { path: path.clone(), message: message.into(), help: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests the nearest of what is known, or lists it when nothing is near.
    #[must_use]
    pub fn suggest<'k>(self, given: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(given, &known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None => self.help(format!("expected {}", listed(&known))),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// "`a`, `b` or `c`"; long lists are cut.
pub(crate) fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 14;
    let quoted: Vec<String> = words.iter().take(SHOWN).map(|word| format!("`{word}`")).collect();
    if words.len() > SHOWN {
        return format!("{}, …", quoted.join(", "));
    }
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The word that differs least, if it is near enough to be meant.
pub(crate) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let given = given.to_lowercase();
    let allowed = 1 + given.chars().count() / 4;
    let rated = known.iter().map(|word| (distance(&given, &word.to_lowercase()), *word));
    let near = rated.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance);
    near.map(|(_, word)| word).or_else(|| {
        // `completion-5` for `completions-5` is near; so is a word that another one starts with.
        known.iter().copied().find(|word| given.len() > 2 && word.to_lowercase().starts_with(&given))
    })
}

/// Edits (insert, remove, replace, swap neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replace = last[j] + usize::from(x != y);
            let mut best = replace.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near() {
        let known = ["behaviours", "manifests", "actions", "completions-5"];
        assert_eq!(nearest("behaviors", &known), Some("behaviours"));
        assert_eq!(nearest("manifset", &known), Some("manifests"));
        assert_eq!(nearest("completion-5", &known), Some("completions-5"));
        assert_eq!(nearest("nodes", &known), None);
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` or `c`");
    }

    #[test]
    fn paths_are_written_as_kubernetes_writes_them() {
        let path = FieldPath::default().key("manifests").index(2).field("spec.labels[a.b/c].x[0]");
        assert_eq!(path.to_string(), "manifests[2].spec.labels[a.b/c].x[0]");
    }
}
