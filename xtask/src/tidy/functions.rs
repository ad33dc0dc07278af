//! How long functions are, of Rust and TypeScript, by the layout that formatters give them.

/// A function of a source file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line of its `fn`, from 1.
    pub(super) line: usize,
    /// From `fn` to the closing brace.
    pub(super) lines: usize,
}

/// All functions with a body, nested ones too.
pub(super) fn all(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = name_of(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let end = lines[index..].iter().position(|line| is_end(line, indent, &closing));
        let lines = end.map_or(1, |end| end + 1);
        functions.push(Function { name: name.to_owned(), line: index + 1, lines });
    }
    functions
}

/// The function ends at a brace as deep as its `fn`, or without a body at a semicolon.
fn is_end(line: &str, indent: &str, closing: &str) -> bool {
    let one_line = line.starts_with(indent) && name_of(line).is_some() && line.ends_with(['}', ';']);
    let signature_only =
        line.starts_with(indent) && line.trim_start().starts_with(')') && line.ends_with(';');
    line == closing || one_line || signature_only
}

fn name_of(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    for word in
        ["pub(crate) ", "pub(super) ", "pub ", "export ", "const ", "async ", "unsafe ", "extern \"C\" "]
    {
        words = words.strip_prefix(word).unwrap_or(words);
    }
    let rest = words.strip_prefix("fn ").or_else(|| words.strip_prefix("function "))?;
    rest.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_fn_to_its_brace() {
        let text = "fn one() {}\n\nimpl X {\n    pub fn two(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n    fn three();\n}\n";
        let found: Vec<_> = all(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("one".to_owned(), 1, 1), ("two".to_owned(), 4, 5), ("three".to_owned(), 9, 1)]);
    }
}
