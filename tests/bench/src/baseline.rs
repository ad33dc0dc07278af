//! What was recorded: our own figures, and the real controller's.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// One row, as `--output json` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) bench: String,
    pub(crate) case: String,
    pub(crate) pods: usize,
    pub(crate) mode: String,
    pub(crate) engine: String,
    pub(crate) min_ns: u64,
    pub(crate) median_ns: u64,
    pub(crate) bytes_per_pod: usize,
}

/// How many instructions a decision takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) case: String,
    pub(crate) pods: usize,
    pub(crate) mode: String,
    pub(crate) instructions: u64,
}

/// What `syncJob` of the real controller takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Upstream {
    pub(crate) case: String,
    pub(crate) pods: usize,
    pub(crate) min_ns: u64,
    pub(crate) median_ns: u64,
}

/// The file `baseline.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Baseline {
    pub(crate) upstream: Vec<Upstream>,
    pub(crate) instructions: Vec<Count>,
    pub(crate) rows: Vec<Row>,
}

impl Baseline {
    fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baseline.json")
    }

    pub(crate) fn read() -> Result<Self, String> {
        let path = Self::path();
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let path = Self::path();
        let mut parts = Vec::new();
        for (name, list) in [
            ("upstream", lines(&self.upstream)?),
            ("instructions", lines(&self.instructions)?),
            ("rows", lines(&self.rows)?),
        ] {
            parts.push(format!("\"{name}\": [\n{list}\n]"));
        }
        let text = format!("{{{}}}\n", parts.join(",\n"));
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        eprintln!("recorded in tests/bench/baseline.json");
        Ok(())
    }

    /// Takes in new figures; rows that were not measured stay.
    pub(crate) fn record(&mut self, rows: Vec<Row>, counts: Vec<Count>) {
        for row in rows {
            match self.rows.iter_mut().find(|known| same(known, &row)) {
                Some(known) => *known = row,
                None => self.rows.push(row),
            }
        }
        self.instructions = counts;
    }

    pub(crate) fn row(&self, row: &Row) -> Option<&Row> {
        self.rows.iter().find(|known| same(known, row))
    }

    pub(crate) fn upstream(&self, row: &Row) -> Option<&Upstream> {
        self.upstream.iter().find(|known| known.case == row.case && known.pods == row.pods)
    }
}

fn same(a: &Row, b: &Row) -> bool {
    (&a.bench, &a.case, a.pods, &a.mode, &a.engine) == (&b.bench, &b.case, b.pods, &b.mode, &b.engine)
}

/// One entry a line, so that a change shows what changed.
fn lines<T: Serialize>(list: &[T]) -> Result<String, String> {
    let lines: Result<Vec<String>, _> = list.iter().map(serde_json::to_string).collect();
    lines.map(|lines| lines.join(",\n")).map_err(|error| error.to_string())
}
