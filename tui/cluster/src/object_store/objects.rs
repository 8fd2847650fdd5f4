//! The objects as files: found, opened, put in place, removed. All of it waits for the disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Error, S3Result};
use tempfile::{NamedTempFile, TempPath};

use super::catalog::{Catalog, Known};
use super::conditions::WriteConditions;
use super::description::{Attributes, Checksums, Description, Stamp};
use super::index::Index;
use super::{file_name, folders, older_layout};

/// The folder of what is being received.
const PARTS: &str = ".parts";
/// By how much the times of two versions differ at least: more than a step of any common file system's clock.
const TICK: Duration = Duration::from_micros(1);

/// The buckets below a folder. This process is the only one that changes them, and what is changed by hand is noticed by
/// its size or its time.
#[derive(Debug)]
pub(super) struct Objects {
    root: PathBuf,
    index: Index,
    /// Held while an object is put in place or removed.
    commits: Mutex<Commits>,
}

#[derive(Debug)]
struct Commits {
    catalog: Catalog,
    /// The time of the newest version.
    last: SystemTime,
}

/// A file with all of an object's bytes, on its way into its place.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) file: File,
    pub(super) path: TempPath,
    /// Without its quotes.
    pub(super) etag: String,
    pub(super) attributes: Attributes,
    pub(super) checksums: Checksums,
}

impl Objects {
    /// Finds every object below `root`, and removes what is left of others: empty folders, files half received.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let parts = root.join(PARTS);
        if parts.exists() {
            fs::remove_dir_all(&parts)?;
        }
        fs::create_dir(&parts)?;
        let mut known = Known::read(root)?;
        let mut buckets = BTreeMap::new();
        for name in folders::buckets(root)? {
            let mut bucket = BTreeMap::new();
            let folder = root.join(&name);
            let mut look = |path: &str| {
                let key = file_name::key_of(&name, path)
                    .or_else(|| folders::written_out_key(&name, &folder, path));
                if let Some(key) = key {
                    let file = folder.join(path);
                    let stamp = Stamp::of(&fs::metadata(&file)?)?;
                    let object = match known.take(&name, &key, stamp) {
                        Some(object) => Some(object),
                        None => older_layout::description(root, &name, path, stamp)?,
                    };
                    bucket.insert(key, object.map(Arc::new));
                } else if folders::is_written_out_for_nothing(&folder, path) {
                    fs::remove_file(folder.join(path))?;
                }
                Ok(())
            };
            folders::walk(&folder, "", &mut look)?;
            buckets.insert(name, bucket);
        }
        let described = buckets.iter().flat_map(|(bucket, objects)| {
            let objects = objects.iter();
            objects.filter_map(|(key, object)| {
                Some((bucket.as_str(), key.as_str(), object.as_deref()?))
            })
        });
        let catalog = Catalog::rewrite(root, described)?;
        older_layout::remove_attributes(root)?;
        Ok(Self {
            root: root.to_owned(),
            index: Index::new(buckets),
            commits: Mutex::new(Commits {
                catalog,
                last: SystemTime::UNIX_EPOCH,
            }),
        })
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Returns a bucket's folder.
    pub(super) fn folder(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// Makes a bucket; `false` if it is there.
    pub(super) fn create_bucket(&self, bucket: &str) -> io::Result<bool> {
        match fs::create_dir(self.folder(bucket)) {
            Ok(()) => {
                self.index.add_bucket(bucket);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns a new file for what is going to be an object.
    pub(super) fn part(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(self.root.join(PARTS))
    }

    /// Returns what is known of an object; `None` if there is none.
    pub(super) fn find(&self, bucket: &str, key: &str) -> io::Result<Option<Arc<Description>>> {
        let path = self.path(bucket, key);
        let look = || {
            none_if_missing(fs::metadata(&path))?
                .map(|file| Stamp::of(&file))
                .transpose()
        };
        let Some(stamp) = look()? else {
            return Ok(None);
        };
        if let Some(object) = self.known(bucket, key, stamp) {
            return Ok(Some(object));
        }
        let opened = self.open_object(bucket, key)?;
        Ok(opened.map(|(_, object)| object))
    }

    /// Opens an object: the file is the version that is described, whatever takes its place meanwhile.
    pub(super) fn open_object(
        &self,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<(File, Arc<Description>)>> {
        let path = self.path(bucket, key);
        let open = || {
            let Some(file) = none_if_missing(File::open(&path))? else {
                return Ok(None);
            };
            let metadata = file.metadata()?;
            Ok::<_, io::Error>(Some((file, Stamp::of(&metadata)?)))
        };
        let Some((file, stamp)) = open()? else {
            return Ok(None);
        };
        if let Some(object) = self.known(bucket, key, stamp) {
            return Ok(Some((file, object)));
        }
        // It may be just on its way into its place, and described in a moment.
        let commits = self.lock();
        let Some((file, stamp)) = open()? else {
            return Ok(None);
        };
        if let Some(object) = self.known(bucket, key, stamp) {
            return Ok(Some((file, object)));
        }
        drop(commits);
        let object = described_anew(&file, stamp)?;
        self.learn(bucket, key, &object)?;
        Ok(Some((file, object)))
    }

    /// Returns a copy of an object that is open, with other attributes if they are given.
    pub(super) fn draft_of(
        &self,
        mut file: &File,
        object: &Description,
        attributes: Option<Attributes>,
    ) -> io::Result<Draft> {
        let (mut copy, path) = self.part()?.into_parts();
        io::copy(&mut file, &mut copy)?;
        Ok(Draft {
            file: copy,
            path,
            etag: object.etag.clone(),
            attributes: attributes.unwrap_or_else(|| object.attributes.clone()),
            checksums: object.checksums.clone(),
        })
    }

    /// Puts an object in its place, if the conditions hold for what is there.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: &str,
        draft: Draft,
        conditions: &WriteConditions,
    ) -> S3Result<Arc<Description>> {
        let mut commits = self.lock();
        if !conditions.is_empty() {
            let there = self.look(bucket, key).map_err(S3Error::internal_error)?;
            conditions.check(there.as_deref())?;
        }
        self.put_in_place(&mut commits, bucket, key, draft)
            .map_err(S3Error::internal_error)
    }

    /// Removes an object, if there is one.
    pub(super) fn remove(&self, bucket: &str, key: &str) -> io::Result<()> {
        let _commits = self.lock();
        none_if_missing(fs::remove_file(self.path(bucket, key)))?;
        self.index.remove(bucket, key);
        if let Some(beside) = file_name::written_out(bucket, key) {
            none_if_missing(fs::remove_file(self.folder(bucket).join(beside)))?;
        }
        Ok(())
    }

    fn put_in_place(
        &self,
        commits: &mut Commits,
        bucket: &str,
        key: &str,
        draft: Draft,
    ) -> io::Result<Arc<Description>> {
        let time = SystemTime::now().max(commits.last + TICK);
        commits.last = time;
        draft.file.set_modified(time)?;
        let object = Arc::new(Description {
            stamp: Stamp::of(&draft.file.metadata()?)?,
            etag: draft.etag,
            attributes: draft.attributes,
            checksums: draft.checksums,
        });
        if let Some(beside) = file_name::written_out(bucket, key) {
            folders::write_out(&self.folder(bucket).join(beside), key)?;
        }
        commits.catalog.add(bucket, key, &object)?;
        let path = self.path(bucket, key);
        if let Err(error) = draft.path.persist(&path) {
            if error.error.kind() != io::ErrorKind::NotFound {
                return Err(error.error);
            }
            folders::create_folder_of(&path)?;
            error.path.persist(&path)?;
        }
        self.index.set(bucket, key, Arc::clone(&object));
        Ok(object)
    }

    /// Returns what is known of an object; `None` if there is none. For whoever holds the lock.
    fn look(&self, bucket: &str, key: &str) -> io::Result<Option<Arc<Description>>> {
        let Some(file) = none_if_missing(File::open(self.path(bucket, key)))? else {
            return Ok(None);
        };
        let stamp = Stamp::of(&file.metadata()?)?;
        match self.known(bucket, key, stamp) {
            Some(object) => Ok(Some(object)),
            None => described_anew(&file, stamp).map(Some),
        }
    }

    /// Keeps what was found out of an object, unless another is in its place by now.
    fn learn(&self, bucket: &str, key: &str, object: &Arc<Description>) -> io::Result<()> {
        let mut commits = self.lock();
        let there = none_if_missing(fs::metadata(self.path(bucket, key)))?;
        if there.is_some_and(|file| Stamp::of(&file).is_ok_and(|stamp| stamp == object.stamp)) {
            commits.catalog.add(bucket, key, object)?;
            self.index.set(bucket, key, Arc::clone(object));
        }
        Ok(())
    }

    fn known(&self, bucket: &str, key: &str, stamp: Stamp) -> Option<Arc<Description>> {
        self.index
            .get(bucket, key)
            .filter(|object| object.stamp == stamp)
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        self.folder(bucket).join(file_name::path_of(bucket, key))
    }

    fn lock(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Describes a file that came into its place by hand.
fn described_anew(mut file: &File, stamp: Stamp) -> io::Result<Arc<Description>> {
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        md5.update(&buffer[..length]);
    }
    file.rewind()?;
    Ok(Arc::new(Description {
        stamp,
        etag: hex::encode(md5.finalize()),
        attributes: Attributes::default(),
        checksums: Checksums::default(),
    }))
}

/// Returns `None` for what is not there. A path through a file, or to a folder, leads to no object either.
fn none_if_missing<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};

    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
