//! Field paths as Kubernetes writes them: `spec.template.spec.containers[0].name`, `metadata.labels[app]`.

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `.name`.
    Field(String),
    /// `[3]`, an index; or `[app]`, a key of a map.
    Bracket(String),
}

impl Step {
    /// The text of the step, without dot or brackets.
    pub fn text(&self) -> &str {
        match self {
            Step::Field(text) | Step::Bracket(text) => text,
        }
    }

    /// The step as an index, if it is one.
    pub fn index(&self) -> Option<usize> {
        match self {
            Step::Bracket(text) => text.parse().ok(),
            Step::Field(_) => None,
        }
    }
}

/// The path as text.
pub fn to_string(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Bracket(inside) => text.extend(["[", inside, "]"]),
        }
    }
    text
}

/// The steps of a path. Anything is a path: what cannot be found is shown at its nearest ancestor.
pub fn parse(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            // Keys may hold brackets only at the cost of a worse position.
            let (text, after) = inside.split_once(']').unwrap_or((inside, ""));
            steps.push(Step::Bracket(text.to_owned()));
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            if !text.is_empty() {
                steps.push(Step::Field(text.to_owned()));
            }
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_fields_indexes_and_keys() {
        let shown = |path: &str| parse(path).iter().map(|s| s.text().to_owned()).collect::<Vec<_>>();
        assert_eq!(shown("spec.containers[0].name"), ["spec", "containers", "0", "name"]);
        assert_eq!(shown("metadata.labels[a.b/c].x"), ["metadata", "labels", "a.b/c", "x"]);
        assert_eq!(shown(""), Vec::<String>::new());
        assert_eq!(shown("..a[[b"), ["a", "[b"]);
    }

    #[test]
    fn paths_are_written_as_they_were_read() {
        for path in ["spec.containers[0].name", "metadata.labels[a.b/c]", "[1][2].x", ""] {
            assert_eq!(to_string(&parse(path)), path);
        }
    }

    #[test]
    fn only_brackets_are_indexes() {
        let indexes = |path: &str| parse(path).iter().map(Step::index).collect::<Vec<_>>();
        assert_eq!(indexes("a[2][x].3"), [None, Some(2), None, None]);
    }
}
