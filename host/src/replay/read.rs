//! Reading recorded watch streams: files of watch events, plain or gzipped, one JSON value after the other.

use super::recording::{Builder, Recording};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Endings of the files that are read; each may be followed by `.gz`.
const ENDINGS: [&str; 3] = [".ndjson", ".jsonl", ".json"];
/// The longest stream that is read, unpacked.
const MAX_BYTES: u64 = 2 << 30;
/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why a recording could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The file or directory.
    pub file: String,
    /// Line and column, from 1, where the trouble is in a text.
    pub place: Option<(usize, usize)>,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "cannot read `{}`: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    fn whole(path: &Path, message: impl Into<String>) -> Self {
        ReadError { file: path.display().to_string(), place: None, message: message.into() }
    }

    fn of(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => ReadError::whole(path, "there is nothing of that name"),
            io::ErrorKind::NotADirectory => ReadError::whole(path, "it is not a directory"),
            io::ErrorKind::PermissionDenied => ReadError::whole(path, "permission denied"),
            _ => ReadError::whole(path, error.to_string()),
        }
    }
}

impl Recording {
    /// Reads every stream in a directory. `progress` is told how many of how many bytes of files were read.
    ///
    /// # Errors
    /// A file that cannot be read or is not a stream of watch events; a directory without a Job or CronJob.
    pub fn read(directory: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Self, ReadError> {
        let files = stream_files(directory)?;
        let sizes = files.iter().map(|file| fs::metadata(file).map_or(0, |meta| meta.len()));
        let total: u64 = sizes.clone().sum();
        let mut builder = Builder::default();
        let mut done = 0;
        for (file, size) in files.iter().zip(sizes) {
            progress(done, total);
            builder.add(&file.display().to_string(), &text_of(file)?)?;
            done += size;
        }
        progress(total, total);
        let recording = builder.finish();
        if !recording.has_jobs() {
            return Err(ReadError::whole(directory, "no Job or CronJob is in the recorded streams"));
        }
        if !recording.tells_authors() {
            let message = "no object has metadata.managedFields, which tell who wrote what; record with \
                `kubectl get --raw` or `--show-managed-fields`";
            return Err(ReadError::whole(directory, message));
        }
        Ok(recording)
    }

    /// Reads streams from memory, each with a name for error messages.
    ///
    /// # Errors
    /// A text that is not a stream of watch events.
    pub fn from_streams<'a>(
        streams: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ReadError> {
        let mut builder = Builder::default();
        for (name, text) in streams {
            builder.add(name, text)?;
        }
        Ok(builder.finish())
    }
}

fn stream_files(directory: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |error: io::Error| ReadError::of(directory, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(name);
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message =
            "no recorded stream, expected files like `jobs.ndjson`, `pods.ndjson.gz` or `cronjobs.json`";
        return Err(ReadError::whole(directory, message));
    }
    Ok(files)
}

fn text_of(file: &Path) -> Result<String, ReadError> {
    let unreadable = |error: io::Error| ReadError::of(file, &error);
    let mut bytes = fs::read(file).map_err(unreadable)?;
    if bytes.starts_with(&GZIP_MAGIC) {
        let mut text = Vec::new();
        let unpacked = MultiGzDecoder::new(&bytes[..]).take(MAX_BYTES + 1).read_to_end(&mut text);
        unpacked.map_err(unreadable)?;
        bytes = text;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::whole(file, "it is longer than 2 GiB; record for a shorter time"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let place = place_of(&String::from_utf8_lossy(&error.as_bytes()[..valid]), valid);
        ReadError { place: Some(place), ..ReadError::whole(file, "expected UTF-8") }
    })
}

/// Line and column, from 1, of a byte of a text.
fn place_of(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    (line, before.len() - line_start + 1)
}

/// One watch event, its object unread.
#[derive(Deserialize)]
struct WatchEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// What a watch event says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventType {
    Added,
    Modified,
    Deleted,
}

impl Builder {
    /// Adds a stream.
    fn add(&mut self, file: &str, text: &str) -> Result<(), ReadError> {
        let fail = |place, message: String| ReadError { file: file.into(), place: Some(place), message };
        let events = serde_json::Deserializer::from_str(text).into_iter::<WatchEvent<'_>>();
        for event in events {
            let event = event.map_err(|error| {
                let place = (error.line(), error.column());
                fail(place, event_error(&error))
            })?;
            let start = event.object.get().as_ptr().addr() - text.as_ptr().addr();
            let at_object = || place_of(text, start);
            let event_type = match &*event.kind {
                "ADDED" => EventType::Added,
                "MODIFIED" => EventType::Modified,
                "DELETED" => EventType::Deleted,
                "BOOKMARK" => {
                    self.bookmark(event.object.get());
                    continue;
                }
                "ERROR" => return Err(fail(at_object(), watch_error(event.object))),
                other => {
                    let message =
                        format!("expected a watch event's type (ADDED, MODIFIED, DELETED), got `{other}`");
                    return Err(fail(at_object(), message));
                }
            };
            self.push(event_type, event.object.get()).map_err(|error| {
                let (line, column) = at_object();
                let place = match error.place {
                    (..=1, inner) => (line, column + inner.saturating_sub(1)),
                    (inner_line, inner) => (line + inner_line - 1, inner),
                };
                fail(place, error.message)
            })?;
        }
        self.end_stream();
        Ok(())
    }
}

fn event_error(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the stream is cut off within this event; take the event off or record again".into(),
        _ => {
            let text = error.to_string();
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            format!("expected a watch event like {{\"type\":\"ADDED\",\"object\":{{…}}}}: {text}")
        }
    }
}

/// What the API server sent instead of an event.
fn watch_error(status: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        message: String,
    }
    let message = serde_json::from_str::<Status>(status.get()).map(|status| status.message);
    format!("the watch ended with an error, events after it are missing: {}", message.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Recording::from_streams([("jobs.ndjson", text)]).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn errors_tell_file_line_and_column() {
        let first = "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Job\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\"}}}\n";
        assert_eq!(
            error(&format!("{first}{{\"type\":\"ADDED\"}}\n")),
            "jobs.ndjson:2:16: expected a watch event like {\"type\":\"ADDED\",\"object\":{…}}: missing field `object`"
        );
        assert_eq!(
            error(&format!("{first}{{\"type\":\"ADDED\",\"object\":{{\"kind\"")),
            "jobs.ndjson:2:32: the stream is cut off within this event; take the event off or record again"
        );
        let wrong = "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Job\",\"metadata\":{\"uid\":\"v\",\"resourceVersion\":\"2\"},\"spec\":{\"parallelism\":\"x\"}}}";
        assert_eq!(
            error(&format!("{first}{wrong}")),
            "jobs.ndjson:2:109: expected a Job: invalid type: string \"x\", expected i32"
        );
        assert_eq!(
            error("{\"type\":\"PATCHED\",\"object\":{}}"),
            "jobs.ndjson:1:28: expected a watch event's type (ADDED, MODIFIED, DELETED), got `PATCHED`"
        );
        assert_eq!(
            error("{\"type\":\"ERROR\",\"object\":{\"message\":\"too old resource version\"}}"),
            "jobs.ndjson:1:26: the watch ended with an error, events after it are missing: too old resource version"
        );
        assert_eq!(
            error("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Job\",\"metadata\":{}}}"),
            "jobs.ndjson:1:26: expected metadata.uid and a numeric metadata.resourceVersion"
        );
    }

    #[test]
    fn events_may_span_lines() {
        let text = "{\n \"type\": \"ADDED\",\n \"object\": {\"kind\": \"Job\", \"metadata\": {\"uid\": \"u\", \"resourceVersion\": \"1\"}}\n}\n";
        assert!(Recording::from_streams([("jobs.json", text)]).unwrap().has_jobs());
    }
}
