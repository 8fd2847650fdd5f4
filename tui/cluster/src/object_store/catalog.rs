//! The file that keeps what is known of the objects: a JSON object a line, a line a version, the newest last.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::description::{Description, Stamp};

/// Its name, beside the buckets.
const NAME: &str = ".catalog.jsonl";

/// The open file. A version is written to it before its object is put in place: so an object in its place is always known.
#[derive(Debug)]
pub(super) struct Catalog(File);

/// What an earlier process knew.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(String, String), Vec<Description>>);

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    bucket: Cow<'a, str>,
    key: Cow<'a, str>,
    #[serde(flatten)]
    object: Cow<'a, Description>,
}

impl Known {
    /// Reads the file below `root`, if there is one. A line that was cut off, or is not understood, is as none.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut known = Self::default();
        let file = match File::open(root.join(NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(known),
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).split(b'\n') {
            let Ok(line) = serde_json::from_slice::<Line<'_>>(&line?) else {
                continue;
            };
            let name = (line.bucket.into_owned(), line.key.into_owned());
            known
                .0
                .entry(name)
                .or_default()
                .push(line.object.into_owned());
        }
        Ok(known)
    }

    /// Returns the version whose file has this stamp.
    pub(super) fn take(&mut self, bucket: &str, key: &str, stamp: Stamp) -> Option<Description> {
        let versions = self.0.remove(&(bucket.to_owned(), key.to_owned()))?;
        let mut newest_first = versions.into_iter().rev();
        newest_first.find(|object| object.stamp == stamp)
    }
}

impl Catalog {
    /// Replaces the file by one with these objects only.
    pub(super) fn rewrite<'a>(
        root: &Path,
        objects: impl Iterator<Item = (&'a str, &'a str, &'a Description)>,
    ) -> io::Result<Self> {
        let mut file = BufWriter::new(NamedTempFile::new_in(root)?);
        for (bucket, key, object) in objects {
            write(&mut file, bucket, key, object)?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(root.join(NAME))?;
        let file = OpenOptions::new().append(true).open(root.join(NAME))?;
        Ok(Self(file))
    }

    /// Adds a version, in one write.
    pub(super) fn add(&mut self, bucket: &str, key: &str, object: &Description) -> io::Result<()> {
        let mut line = Vec::new();
        write(&mut line, bucket, key, object)?;
        self.0.write_all(&line)
    }
}

fn write(mut out: impl io::Write, bucket: &str, key: &str, object: &Description) -> io::Result<()> {
    let line = Line {
        bucket: bucket.into(),
        key: key.into(),
        object: Cow::Borrowed(object),
    };
    // First, so that a line that was cut off spoils no other.
    out.write_all(b"\n")?;
    Ok(serde_json::to_writer(out, &line)?)
}
