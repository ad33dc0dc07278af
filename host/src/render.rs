//! Results as text: tables as `kubectl` prints them, YAML, durations.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};

pub mod chart;
pub mod kubectl;
pub mod run;

pub use policy_json::duration;
pub use policy_manifest::written as yaml;

/// A table without borders: a header in capitals, columns three spaces apart.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| single_line(&cell)).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3)).set_cell_alignment(CellAlignment::Left);
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Text on one line, without characters that would disturb a terminal.
fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_look_like_those_of_kubectl() {
        let rows = [vec!["a".to_owned(), "1\n2".to_owned()], vec!["long name".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "N"], rows), "NAME        N\na           1 2\nlong name\n");
    }
}
