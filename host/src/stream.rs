//! The line protocol of `--stream`: one answer line for each input line, in constant memory.

use crate::wire::{self, LineError};
use memchr::memchr;
use serde_json::Value;
use std::io::{self, Read, Write};

/// Lines longer than this get an error answer and are skipped.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// How much is read at a time, and answered before output is written.
const CHUNK_BYTES: usize = 64 << 10;

/// Room kept for the next line after a long one.
const KEPT_BYTES: usize = 4 << 20;

/// What a stream came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Input lines.
    pub lines: u64,
    /// Lines that got an error instead of an answer.
    pub refused: u64,
}

/// Why a stream ended early.
#[derive(Debug)]
pub enum StreamError {
    /// The input could not be read.
    Read(io::Error),
    /// The output could not be written.
    Write(io::Error),
}

/// Answers one line: appends the answer to the buffer, or says why there is none.
pub trait Answer: FnMut(&[u8], &mut Vec<u8>) -> Result<(), LineError> {}
impl<F: FnMut(&[u8], &mut Vec<u8>) -> Result<(), LineError>> Answer for F {}

/// Answers lines until the input ends. Everything answered so far is written before each wait for more input, so
/// that a program may write one line and wait for its answer.
///
/// # Errors
/// Reading or writing failed. A reader that went away ([`io::ErrorKind::BrokenPipe`]) is an error here too.
pub fn run(
    input: &mut impl Read,
    output: &mut impl Write,
    answer: impl Answer,
) -> Result<Summary, StreamError> {
    let mut stream = Stream { output, answer, answers: Vec::new(), summary: Summary::default() };
    let mut pending: Vec<u8> = Vec::new();
    let mut skipping = false;
    loop {
        stream.flush().map_err(StreamError::Write)?;
        let scanned = pending.len();
        if !read_some(input, &mut pending).map_err(StreamError::Read)? {
            break;
        }
        let mut start = 0;
        let mut search_from = scanned;
        while let Some(length) = memchr(b'\n', &pending[search_from..]) {
            let end = search_from + length;
            if !std::mem::take(&mut skipping) {
                stream.line(&pending[start..end]).map_err(StreamError::Write)?;
            }
            start = end + 1;
            search_from = start;
        }
        pending.drain(..start);
        if skipping {
            pending.clear();
        } else if pending.len() > MAX_LINE_BYTES {
            stream.refuse_long().map_err(StreamError::Write)?;
            skipping = true;
            pending = Vec::new();
        } else if pending.len() < CHUNK_BYTES {
            pending.shrink_to(KEPT_BYTES);
        }
    }
    if !pending.is_empty() && !skipping {
        stream.line(&pending).map_err(StreamError::Write)?;
    }
    stream.flush().map_err(StreamError::Write)?;
    Ok(stream.summary)
}

/// Appends what one read gives; false at the end of the input.
fn read_some(input: &mut impl Read, pending: &mut Vec<u8>) -> io::Result<bool> {
    let old = pending.len();
    pending.resize(old + CHUNK_BYTES, 0);
    let read = loop {
        match input.read(&mut pending[old..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    pending.truncate(old + *read.as_ref().unwrap_or(&0));
    read.map(|bytes| bytes > 0)
}

struct Stream<'o, W, A> {
    output: &'o mut W,
    answer: A,
    answers: Vec<u8>,
    summary: Summary,
}

impl<W: Write, A: Answer> Stream<'_, W, A> {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_LINE_BYTES {
            return self.refuse_long();
        }
        self.summary.lines += 1;
        let before = self.answers.len();
        let result = if line.iter().all(u8::is_ascii_whitespace) {
            Err(LineError {
                id: Value::Null,
                message: "the line is empty, expected a JSON object".to_owned(),
            })
        } else {
            (self.answer)(line, &mut self.answers)
        };
        match result {
            Ok(()) => {
                if self.answers.last() != Some(&b'\n') {
                    self.answers.push(b'\n');
                }
            }
            Err(error) => {
                self.answers.truncate(before);
                self.refuse(&error);
            }
        }
        self.write_when_full()
    }

    fn refuse_long(&mut self) -> io::Result<()> {
        self.summary.lines += 1;
        let message = format!("the line is longer than {} MiB", MAX_LINE_BYTES >> 20);
        self.refuse(&LineError { id: Value::Null, message });
        self.write_when_full()
    }

    fn refuse(&mut self, error: &LineError) {
        self.summary.refused += 1;
        let message = Value::from(error.message.as_str());
        self.answers.extend_from_slice(format!("{{\"id\":{},\"error\":{message}}}\n", error.id).as_bytes());
    }

    fn write_when_full(&mut self) -> io::Result<()> {
        if self.answers.len() >= CHUNK_BYTES {
            self.output.write_all(&self.answers)?;
            self.answers.clear();
            self.answers.shrink_to(KEPT_BYTES);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.answers.is_empty() {
            self.output.write_all(&self.answers)?;
            self.answers.clear();
            self.output.flush()?;
        }
        Ok(())
    }
}

/// Answers a line of `decide`, a Job's or a CronJob's, told apart by their key.
///
/// # Errors
/// The line is not a JSON object with `job` or `cronJob`, or not of their form.
pub fn decide(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    match subject(line) {
        Some(Subject::Job) => wire::job::answer(line, out),
        Some(Subject::CronJob) => wire::cron_job::answer(line, out),
        None => Err(no_subject(line)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Job,
    CronJob,
}

/// The first top-level key that is `job` or `cronJob`, without reading values. The parser proper judges the line; this
/// only has to be right about valid ones.
fn subject(line: &[u8]) -> Option<Subject> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at;
                at = end_of_string(line, start)?;
                if depth == 1 {
                    let subject = match line.get(start..at - 1)? {
                        b"job" => Subject::Job,
                        b"cronJob" => Subject::CronJob,
                        _ => continue,
                    };
                    let next = line[at..].iter().find(|byte| !byte.is_ascii_whitespace());
                    if next == Some(&b':') {
                        return Some(subject);
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// The byte after the closing quote of a string whose text starts at `at`.
fn end_of_string(line: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn no_subject(line: &[u8]) -> LineError {
    match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        Err(error) => LineError::undecodable(line, &error),
        Ok(_) => {
            let id =
                serde_json::from_slice::<Value>(line).ok().and_then(|mut v| Some(v.get_mut("id")?.take()));
            let message = "expected an object with `job` or `cronJob`".to_owned();
            LineError { id: id.unwrap_or(Value::Null), message }
        }
    }
}

#[cfg(test)]
mod tests;
