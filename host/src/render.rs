//! Results as text: tables as `kubectl` prints them, YAML, durations.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};

pub mod chart;
pub mod kubectl;
pub mod run;
pub mod yaml;

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

/// A length of time as `kubectl` shows ages: the two largest units (`3d4h`, `5m30s`, `1.5s`).
pub fn duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let seconds = millis / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{sign}{large}{unit}"),
        _ => format!("{sign}{large}{unit}{small}{small_unit}"),
    };
    if days > 0 {
        two(days, "d", hours, "h")
    } else if hours > 0 {
        two(hours, "h", minutes, "m")
    } else if minutes > 0 {
        two(minutes, "m", seconds % 60, "s")
    } else if millis.is_multiple_of(1_000) {
        format!("{sign}{seconds}s")
    } else {
        let fraction = format!("{:03}", millis % 1_000);
        format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_look_like_those_of_kubectl() {
        let rows = [vec!["a".to_owned(), "1\n2".to_owned()], vec!["long name".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "N"], rows), "NAME        N\na           1 2\nlong name\n");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0, "0s"),
            (1_500, "1.5s"),
            (-5_000, "-5s"),
            (330_000, "5m30s"),
            (90_061_000, "1d1h"),
            (7_200_000, "2h"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(millis), text);
        }
    }
}
