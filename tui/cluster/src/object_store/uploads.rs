//! Uploads in parts. They end with this process: nobody could finish them after it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Seek as _};
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{CompletedPart, ETag, Part};
use s3s::{S3Error, S3Result, s3_error};

use super::description::{Attributes, Checksums};
use super::objects::{Draft, Objects};
use super::random_key;
use super::receive::Received;

/// The least that a part may have unless it is the last one, in bytes.
const LEAST_PART: u64 = 5 << 20;
const NUMBERS: RangeInclusive<i32> = 1..=10_000;

#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<Id, Upload>>);

/// By what an upload is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) upload: String,
}

#[derive(Debug, Default)]
struct Upload {
    attributes: Attributes,
    parts: BTreeMap<i32, Uploaded>,
}

#[derive(Debug)]
struct Uploaded {
    received: Received,
    size: u64,
    time: SystemTime,
}

impl Uploads {
    /// Begins one, and returns its name.
    pub(super) fn begin(&self, bucket: String, key: String, attributes: Attributes) -> String {
        let name = random_key(32);
        let upload = Upload {
            attributes,
            ..Upload::default()
        };
        let id = Id {
            bucket,
            key,
            upload: name.clone(),
        };
        self.lock().insert(id, upload);
        name
    }

    /// # Errors
    ///
    /// `NoSuchUpload`, or `InvalidArgument` for a part that can't be.
    pub(super) fn check(&self, id: &Id, number: i32) -> S3Result<()> {
        if !NUMBERS.contains(&number) {
            return Err(s3_error!(
                InvalidArgument,
                "Part number must be an integer between 1 and 10000, inclusive"
            ));
        }
        if self.lock().contains_key(id) {
            Ok(())
        } else {
            Err(no_such_upload())
        }
    }

    /// Adds a part, or replaces it.
    pub(super) fn add(&self, id: &Id, number: i32, received: Received) -> S3Result<ETag> {
        let size = received.file.metadata();
        let size = size.map_err(S3Error::internal_error)?.len();
        let etag = ETag::Strong(received.etag());
        let part = Uploaded {
            received,
            size,
            time: SystemTime::now(),
        };
        let mut uploads = self.lock();
        let upload = uploads.get_mut(id).ok_or_else(no_such_upload)?;
        upload.parts.insert(number, part);
        Ok(etag)
    }

    /// Returns the parts that are there, in order.
    pub(super) fn parts(&self, id: &Id) -> S3Result<Vec<Part>> {
        let uploads = self.lock();
        let upload = uploads.get(id).ok_or_else(no_such_upload)?;
        let parts = upload.parts.iter().map(|(number, part)| Part {
            part_number: Some(*number),
            size: i64::try_from(part.size).ok(),
            e_tag: Some(ETag::Strong(part.received.etag())),
            last_modified: Some(part.time.into()),
            ..Part::default()
        });
        Ok(parts.collect())
    }

    /// Ends an upload; its parts are gone with it.
    pub(super) fn abort(&self, id: &Id) -> S3Result<()> {
        let ended = self.lock().remove(id);
        ended.map(drop).ok_or_else(no_such_upload)
    }

    /// Ends an upload, and makes one file of its parts. If it can't, the upload goes on. Waits for the disk.
    ///
    /// # Errors
    ///
    /// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, and those of the disk.
    pub(super) fn complete(
        &self,
        objects: &Objects,
        id: &Id,
        wanted: &[CompletedPart],
    ) -> S3Result<Draft> {
        let ended = self.lock().remove(id);
        let upload = ended.ok_or_else(no_such_upload)?;
        let draft = upload.check(wanted).and_then(|()| {
            let joined = upload.join(objects, wanted);
            joined.map_err(S3Error::internal_error)
        });
        if draft.is_err() {
            self.lock().insert(id.clone(), upload);
        }
        draft
    }

    /// No method panics while it holds the lock, so even a poisoned lock guards sound data.
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    fn check(&self, wanted: &[CompletedPart]) -> S3Result<()> {
        if wanted.is_empty() {
            return Err(s3_error!(
                MalformedXML,
                "You must specify at least one part"
            ));
        }
        let is_in_order = wanted.is_sorted_by(|a, b| a.part_number < b.part_number);
        if !is_in_order {
            return Err(s3_error!(InvalidPartOrder));
        }
        for (place, part) in wanted.iter().enumerate() {
            let uploaded = part.part_number.and_then(|number| self.parts.get(&number));
            let uploaded = uploaded.filter(|uploaded| {
                let etag = part.e_tag.as_ref();
                etag.is_none_or(|etag| etag.value() == uploaded.received.etag())
            });
            let uploaded = uploaded.ok_or_else(|| s3_error!(InvalidPart))?;
            if uploaded.size < LEAST_PART && place + 1 < wanted.len() {
                return Err(s3_error!(EntityTooSmall));
            }
        }
        Ok(())
    }

    /// Joins parts that were checked. Their `ETag` is S3's: the MD5 of their MD5s, and how many they are.
    fn join(&self, objects: &Objects, wanted: &[CompletedPart]) -> io::Result<Draft> {
        let (mut file, path) = objects.part()?.into_parts();
        let mut md5 = Md5::new();
        let numbers = wanted.iter().filter_map(|part| part.part_number);
        for part in numbers.filter_map(|number| self.parts.get(&number)) {
            let mut from = &part.received.file;
            from.rewind()?;
            io::copy(&mut from, &mut file)?;
            md5.update(&part.received.md5);
        }
        Ok(Draft {
            file,
            path,
            etag: format!("{}-{}", hex::encode(md5.finalize()), wanted.len()),
            attributes: self.attributes.clone(),
            checksums: Checksums::default(),
        })
    }
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified multipart upload does not exist. It may have been aborted or completed."
    )
}
