//! Links from one document of the repository to another.

use super::TextFile;
use crate::steps::root;
use std::path::Path;

/// Relative links that lead nowhere.
pub(super) fn broken(file: &TextFile) -> Vec<String> {
    let directory = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for target in targets(line) {
            let path = target.split('#').next().unwrap_or_default();
            let is_remote = target.contains("://") || path.is_empty();
            if !is_remote && !root().join(directory).join(path).exists() {
                problems.push(format!("{}:{}: the link to `{target}` leads nowhere", file.path, number + 1));
            }
        }
    }
    problems
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_targets_of_links() {
        let found: Vec<&str> = targets("see [a](docs/a.md#x) and [b](https://b.example), not (c)").collect();
        assert_eq!(found, ["docs/a.md#x", "https://b.example"]);
    }

    #[test]
    fn only_links_into_the_repository_can_be_broken() {
        let text = "[a](../Cargo.toml) [b](nowhere.md) [c](https://c.example) [d](#part)".to_owned();
        let file = TextFile { path: "docs/x.md".to_owned(), text };
        assert_eq!(broken(&file), ["docs/x.md:1: the link to `nowhere.md` leads nowhere"]);
    }
}
