//! Scenarios from YAML: those that come along, and those of users; problems are shown at their line.

use crate::diagnostic::Diagnostic;
use crate::manifest::Source;
pub use policy_manifest::scenario::{Loaded, diagnose_at, load};
use policy_sim::scenario::{FieldPath, Problem};
use std::path::Path;

mod bundled;

pub use bundled::BUNDLED;

/// The scenario of that name, or of that file.
///
/// # Errors
/// There is none, or what is wrong with it.
pub fn find(name: &str) -> Result<Loaded, Vec<Diagnostic>> {
    if let Some((_, text)) = BUNDLED.iter().find(|(known, _)| *known == name) {
        return load(&Source::new(format!("{name}.yaml"), *text));
    }
    let path = Path::new(name);
    if name == "-" || path.exists() || path.extension().is_some() || name.contains(std::path::MAIN_SEPARATOR)
    {
        return load(&Source::read(path).map_err(|problem| vec![problem])?);
    }
    let known = BUNDLED.iter().map(|(known, _)| *known);
    let problem =
        Problem::new(&FieldPath::default(), format!("there is no scenario `{name}`")).suggest(name, known);
    let diagnostic = Diagnostic::error(problem.message);
    Err(vec![match problem.help {
        Some(help) => {
            diagnostic.help(format!("{help} `jobpolicy scenario list` shows all; a file needs its extension"))
        }
        None => diagnostic,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_that_come_along_are_what_they_say() {
        for (name, _) in BUNDLED {
            match find(name) {
                Ok(loaded) => assert_eq!(loaded.document.base().name, *name),
                Err(problems) => {
                    let shown: Vec<String> = problems.iter().map(|problem| problem.render(false)).collect();
                    panic!("{name}:\n{}", shown.join("\n\n"));
                }
            }
        }
    }

    #[test]
    fn a_name_that_is_none_gets_a_suggestion() {
        let unknown = find("coarse-work-que").expect_err("no such scenario");
        assert!(unknown[0].render(false).contains("did you mean `coarse-work-queue`?"), "{unknown:?}");
    }
}
