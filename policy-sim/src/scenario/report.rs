//! The report of a scenario's run, as `--output json` prints it.

use super::run::Run;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::io;

/// The report of a run that is over.
#[derive(Debug)]
pub struct RunReport<'r, 's> {
    /// The run.
    pub run: &'r Run<'s>,
    /// The name of the variant.
    pub variant: &'r str,
}

impl RunReport<'_, '_> {
    /// Writes the report as indented JSON with a line's end. Objects are written one by one: whatever the size of the
    /// run, nothing is held twice.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_json(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }
}

impl Serialize for RunReport<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.run;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("scenario", &run.scenario().name)?;
        map.serialize_entry("variant", self.variant)?;
        map.serialize_entry("seed", &run.seed())?;
        if let Some(ending) = run.ending() {
            run.world.report(ending).entries(&mut map)?;
        }
        map.serialize_entry("assertions", &run.assertions())?;
        map.serialize_entry("why", run.why())?;
        map.serialize_entry("actions", &run.done)?;
        map.serialize_entry("timeline", &run.timeline.lives().collect::<Vec<_>>())?;
        map.end()
    }
}
