//! A file that can be read at any moment: whole gzip members, each of whole lines, one after the other.

use crate::diagnostic::Diagnostic;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// The file of a stream.
pub(super) struct StreamFile {
    path: PathBuf,
    file: File,
    /// The bytes of whole members.
    length: u64,
}

impl StreamFile {
    /// Makes the file, in place of one that is there.
    pub(super) fn create(path: PathBuf) -> Result<Self, Diagnostic> {
        let failed =
            |error: &io::Error| Diagnostic::error(format!("cannot make `{}`: {error}", path.display()));
        let file = File::create(&path).map_err(|error| failed(&error))?;
        let mut file = StreamFile { path, file, length: 0 };
        // An empty stream is one, too.
        file.write(b"").map_err(|error| file.failed(&error))?;
        Ok(file)
    }

    /// Appends lines as one member.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Diagnostic> {
        if lines.is_empty() {
            return Ok(());
        }
        self.write(lines).map_err(|error| self.failed(&error))
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut member = GzEncoder::new(Vec::new(), Compression::default());
        member.write_all(lines)?;
        let member = member.finish()?;
        if let Err(error) = self.file.write_all(&member) {
            // Half a member would make the file unreadable.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += member.len() as u64;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Diagnostic {
        Diagnostic::error(format!("cannot write `{}`: {error}", self.path.display()))
            .help("what was written up to now can be replayed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use std::io::Read;

    #[test]
    fn the_file_can_be_read_after_every_append() {
        let path = std::env::temp_dir().join(format!("jobpolicy-stream-{}.gz", std::process::id()));
        let text = || {
            let mut text = String::new();
            MultiGzDecoder::new(File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
            text
        };
        let mut file = StreamFile::create(path.clone()).unwrap();
        assert_eq!(text(), "");
        file.append(b"1\n").unwrap();
        assert_eq!(text(), "1\n");
        file.append(b"2\n3\n").unwrap();
        assert_eq!(text(), "1\n2\n3\n");
        std::fs::remove_file(&path).unwrap();
    }
}
