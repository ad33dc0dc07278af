//! The lives of Pods as bars on a time scale.

use super::duration;
use anstyle::{AnsiColor, Color, Style};
use policy_core::Timestamp;
use policy_sim::scenario::{Done, PodLife, Stage, Timeline};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// Rows shown at most.
const ROWS: usize = 40;

/// The time that a chart spans, and its width.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The left end.
    pub start: Timestamp,
    /// The right end.
    pub end: Timestamp,
    /// Columns of the terminal.
    pub columns: usize,
    /// Whether to colour.
    pub color: bool,
}

/// One row: the Pods of an index, or one Pod.
struct Row<'t> {
    label: String,
    lives: Vec<&'t PodLife>,
}

/// The chart, with a line for what was done and a scale; empty when there were no Pods.
pub fn chart(timeline: &Timeline, done: &[Done], scale: Scale) -> String {
    let rows = rows(timeline);
    if rows.is_empty() {
        return String::new();
    }
    let label = rows.iter().take(ROWS).map(|row| row.label.width()).max().unwrap_or(0).min(48);
    let width = scale.columns.saturating_sub(label + 2).clamp(20, 160);
    let cells = Cells { scale, width };
    let mut text = String::new();
    if let Some(marks) = cells.marks(done) {
        text.push_str(&format!("{:label$}  {marks}\n", ""));
    }
    for row in rows.iter().take(ROWS) {
        let name = shortened(&row.label, label);
        let padding = label - name.width();
        text.push_str(&format!("{name}{:padding$}  {}\n", "", cells.bar(&row.lives)));
    }
    if rows.len() > ROWS {
        text.push_str(&format!("… and {} more rows\n", rows.len() - ROWS));
    }
    text.push_str(&format!("{:label$}  {}\n", "", cells.axis()));
    text
}

fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut indexes: BTreeMap<(&str, i64), usize> = BTreeMap::new();
    for life in timeline.lives() {
        let place = match (life.job(), life.index()) {
            (Some(job), Some(index)) => *indexes.entry((job, index)).or_insert_with(|| {
                rows.push(Row { label: format!("{job} [{index}]"), lives: Vec::new() });
                rows.len() - 1
            }),
            _ => {
                rows.push(Row { label: life.name().to_string(), lives: Vec::new() });
                rows.len() - 1
            }
        };
        if let Some(row) = rows.get_mut(place) {
            row.lives.push(life);
        }
    }
    // Indexes of one Job stand together, in order, where the first of them is.
    let mut keys: BTreeMap<usize, (usize, i64)> = BTreeMap::new();
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for ((job, index), place) in &indexes {
        let first = groups.entry(job).or_insert(*place);
        *first = (*first).min(*place);
        keys.insert(*place, (0, *index));
    }
    for ((job, _), place) in &indexes {
        if let (Some(key), Some(first)) = (keys.get_mut(place), groups.get(job)) {
            key.0 = *first;
        }
    }
    let mut placed: Vec<(usize, Row<'_>)> = rows.into_iter().enumerate().collect();
    placed.sort_by_key(|(place, _)| keys.get(place).copied().unwrap_or((*place, 0)));
    placed.into_iter().map(|(_, row)| row).collect()
}

fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    // Of a long name the end says which one it is.
    let tail: Vec<char> = text.chars().rev().take(width.saturating_sub(1)).collect();
    format!("…{}", tail.into_iter().rev().collect::<String>())
}

/// The columns of a chart.
struct Cells {
    scale: Scale,
    width: usize,
}

impl Cells {
    fn span_nanos(&self) -> i64 {
        self.scale.end.nanos_since(self.scale.start).max(1)
    }

    /// The instant at which a column ends.
    fn end_of(&self, column: usize) -> Timestamp {
        let share = self.span_nanos() as f64 * (column + 1) as f64 / self.width as f64;
        self.scale.start.plus_nanos(share as i64)
    }

    /// The column of an instant.
    fn column(&self, at: Timestamp) -> usize {
        let share = at.nanos_since(self.scale.start) as f64 / self.span_nanos() as f64;
        ((share * self.width as f64) as usize).min(self.width.saturating_sub(1))
    }

    fn bar(&self, lives: &[&PodLife]) -> String {
        let mut bar: Vec<(char, Option<AnsiColor>)> =
            (0..self.width).map(|column| self.cell(lives, column)).collect();
        for life in lives {
            for at in life.restarts() {
                put(&mut bar, self.column(*at), "↻", AnsiColor::Yellow);
            }
            for (at, stage) in life.stages() {
                match (stage, life.exit_code()) {
                    (Stage::Succeeded, _) => put(&mut bar, self.column(*at), "✓", AnsiColor::Green),
                    (Stage::Failed, Some(code)) => {
                        put(&mut bar, self.column(*at), &format!("✗{code}"), AnsiColor::Red)
                    }
                    (Stage::Failed, None) => put(&mut bar, self.column(*at), "✗", AnsiColor::Red),
                    _ => {}
                }
            }
        }
        self.painted(&bar)
    }

    fn cell(&self, lives: &[&PodLife], column: usize) -> (char, Option<AnsiColor>) {
        let end = self.end_of(column);
        let begin = if column == 0 { self.scale.start } else { self.end_of(column - 1) };
        // The last Pod that was there before the column ended, if it was there within it.
        let shown = lives.iter().rev().find_map(|life| {
            let began = life.stages().first().is_some_and(|(at, _)| *at <= end);
            began.then(|| life.stage_at(end)).flatten().map(|stage| (life, stage))
        });
        let Some((life, stage)) = shown else { return (' ', None) };
        match stage {
            Stage::Pending => ('·', Some(AnsiColor::BrightBlack)),
            Stage::BackOff => ('░', Some(AnsiColor::BrightBlack)),
            Stage::Running => ('█', Some(AnsiColor::Blue)),
            Stage::Terminating => ('▒', Some(AnsiColor::Yellow)),
            Stage::Failed => ('╌', Some(AnsiColor::BrightBlack)),
            Stage::Succeeded => (' ', None),
            // A short life that was over within this very column still leaves a trace.
            Stage::Gone
                if life.stages().iter().any(|(at, stage)| *stage == Stage::Running && *at > begin) =>
            {
                ('▏', Some(AnsiColor::Blue))
            }
            Stage::Gone => (' ', None),
        }
    }

    fn painted(&self, bar: &[(char, Option<AnsiColor>)]) -> String {
        let mut text = String::new();
        let mut current = None;
        for (cell, color) in bar {
            if self.scale.color && *color != current {
                if current.is_some() {
                    text.push_str("\u{1b}[0m");
                }
                if let Some(color) = color {
                    text.push_str(&Style::new().fg_color(Some(Color::Ansi(*color))).render().to_string());
                }
                current = *color;
            }
            text.push(*cell);
        }
        if current.is_some() {
            text.push_str("\u{1b}[0m");
        }
        text.trim_end().to_owned()
    }

    /// A line with a mark wherever something was done.
    fn marks(&self, done: &[Done]) -> Option<String> {
        let mut line = vec![' '; self.width];
        for action in done.iter().filter(|action| action.at > self.scale.start) {
            if let Some(cell) = line.get_mut(self.column(action.at)) {
                *cell = '▼';
            }
        }
        let text: String = line.into_iter().collect();
        (!text.trim().is_empty()).then(|| text.trim_end().to_owned())
    }

    fn axis(&self) -> String {
        let span = self.span_nanos() / 1_000_000;
        let step = tick_millis(span, self.width);
        let mut line = vec![' '; self.width + 8];
        let mut at = 0;
        while at <= span {
            let column = (at as f64 / span as f64 * self.width as f64) as usize;
            let label = format!("└{}", duration(at));
            for (offset, c) in label.chars().enumerate() {
                if let Some(cell) = line.get_mut(column + offset) {
                    *cell = c;
                }
            }
            at += step;
        }
        let text: String = line.into_iter().collect();
        text.trim_end().to_owned()
    }
}

/// Writes into a bar, as far as there is room.
fn put(bar: &mut [(char, Option<AnsiColor>)], column: usize, text: &str, color: AnsiColor) {
    for (offset, c) in text.chars().enumerate() {
        if let Some(cell) = bar.get_mut(column + offset) {
            *cell = (c, Some(color));
        }
    }
}

/// A round distance between two ticks that leaves room for their labels.
fn tick_millis(span: i64, width: usize) -> i64 {
    const STEPS: &[i64] =
        &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
    let most = (width / 9).max(1) as i64;
    let found = STEPS.iter().map(|seconds| seconds * 1000).find(|step| span / step <= most);
    found.unwrap_or_else(|| (span / most).max(1))
}
