//! Columns as Go's `text/tabwriter` lines them up: a cell is as wide as the widest of the cells above and below it, up to
//! the next line that has none there.

/// Lines up text whose cells end with tabs; `padding` spaces are between columns.
pub(super) fn aligned(text: &str, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut out = String::new();
    block(&lines, padding, &mut Vec::new(), &mut out);
    out
}

/// Writes lines of which the columns so far have these widths.
fn block(lines: &[Vec<&str>], padding: usize, widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    // The last cell of a line ends with it and belongs to no column.
    let has_cell = |line: &Vec<&str>| column + 1 < line.len();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let with = has_cell(first);
        let length = rest.iter().position(|line| has_cell(line) != with).unwrap_or(rest.len());
        let (part, after) = rest.split_at(length);
        if with {
            let cells = part.iter().filter_map(|line| line.get(column));
            let width = cells.map(|cell| cell.chars().count() + padding).max().unwrap_or(0);
            widths.push(width);
            block(part, padding, widths, out);
            widths.pop();
        } else {
            part.iter().for_each(|line| write(line, widths, out));
        }
        rest = after;
    }
}

fn write(line: &[&str], widths: &[usize], out: &mut String) {
    for (place, cell) in line.iter().enumerate() {
        out.push_str(cell);
        if let Some(width) = widths.get(place) {
            let blank = width.saturating_sub(cell.chars().count());
            out.extend(std::iter::repeat_n(' ', blank));
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_ends_with_the_lines_that_have_it() {
        let text = "a\tb\tc\naaa\tbbbb\tc\nno cell\na\tb\n";
        assert_eq!(aligned(text, 2), "a    b     c\naaa  bbbb  c\nno cell\na  b\n");
    }
}
