//! A local file put into S3, once: as text, in parts when it is large, refused when it changes meanwhile.

mod body;
mod content;
mod directory;
mod local_file;
mod text;
mod transcode;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mrdeck_core::api::MAX_CHUNKS;
use mrdeck_core::digest::{Digest, Hasher};
use mrdeck_core::human::thousands;
use mrdeck_core::layout;
use mrdeck_core::uri::{S3Uri, S3UriError};
use mrdeck_store::{Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::content::Same;
pub use self::directory::{UploadedDirectory, is_directory, upload_directory};
use self::local_file::{LocalFile, Progress};
pub use self::text::{Conversion, TextError};
use self::text::{Text, text_of};
use mrdeck_core::diagnostic::{Diagnostic, not_text};

/// How long to wait until the parts of an upload that was given up are deleted.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How far an upload is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    pub sent: u64,
    pub total: u64,
}

impl UploadProgress {
    /// Returns whole percents, 100 only once everything is sent.
    pub fn percent(self) -> u64 {
        let percent = u128::from(self.sent) * 100 / u128::from(self.total.max(1));
        u64::try_from(percent).unwrap_or(100)
    }
}

/// Called with the progress: once at the beginning, then as S3 takes the bytes.
pub type OnProgress<'a> = &'a (dyn Fn(UploadProgress) + Send + Sync);

/// Why a local file was not uploaded.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("{} can't be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} can't be read: it is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("{} has 0 bytes: there is nothing to count", .0.display())]
    Empty(PathBuf),
    #[error("{} has no file with a byte in it: there is nothing to count", .0.display())]
    EmptyDirectory(PathBuf),
    #[error(
        "{} has more than {} files, and each is a chunk of its own",
        .0.display(),
        thousands(u64::from(MAX_CHUNKS))
    )]
    TooManyFiles(PathBuf),
    #[error("{} {source}", .path.display())]
    Text { path: PathBuf, source: TextError },
    #[error("there is no bucket to upload {} to", .0.display())]
    NoBucket(PathBuf),
    #[error(transparent)]
    Bucket(#[from] S3UriError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the upload was given up, but S3 did not confirm that its parts are deleted")]
    Unsettled,
    #[error("the reading of {} broke off", .0.display())]
    BrokeOff(PathBuf),
}

impl From<&UploadError> for Diagnostic {
    fn from(error: &UploadError) -> Self {
        let advice = match error {
            UploadError::Store(error) => return error.into(),
            UploadError::Text { path, source } => return of_text(path, source),
            UploadError::Unreadable { .. } | UploadError::NotAFile(_) => {
                "give s3://BUCKET/KEY, or the path of a text file or a directory"
            }
            UploadError::Empty(_) => "choose another file",
            UploadError::EmptyDirectory(_) => "choose another directory",
            UploadError::TooManyFiles(_) => "join small ones, or name a directory in it",
            UploadError::NoBucket(_) => "name one with --bucket, or give an s3:// input",
            UploadError::Bucket(_) => "check --bucket",
            UploadError::Unsettled => {
                "list them with 'aws s3api list-multipart-uploads --bucket BUCKET'"
            }
            UploadError::BrokeOff(_) => "this is a defect: please report it",
        };
        Self::new(error.to_string(), advice)
    }
}

fn of_text(path: &Path, error: &TextError) -> Diagnostic {
    let path = path.display();
    match error {
        TextError::Unsupported(what) => not_text(&path.to_string(), what),
        TextError::UnsupportedInside { what, .. } => Diagnostic {
            cause: format!("{path} {error}"),
            ..not_text("", what)
        },
        TextError::Read(_) => Diagnostic::new(format!("{path} {error}"), "choose another file"),
        TextError::Unpack { how, .. } => {
            let tool = how.name();
            Diagnostic::new(
                format!("{path} {error}"),
                format!("nothing was written: get the file anew ('{tool} -t' checks it)"),
            )
        }
        TextError::EmptyInside(_) => {
            Diagnostic::new(format!("{path} {error}"), "choose another file")
        }
    }
}

impl From<UploadError> for Diagnostic {
    fn from(error: UploadError) -> Self {
        Self::from(&error)
    }
}

/// A file that is in S3 now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    pub object: S3Uri,
    /// It was there before.
    pub is_reused: bool,
    /// What was done to the file's bytes to make text of them.
    pub conversions: Vec<Conversion>,
}

impl Uploaded {
    /// Returns what was done to the file `name`, in a sentence; `None` if it was only uploaded as it is.
    pub fn note(&self, name: &str) -> Option<String> {
        let steps: Vec<String> = self.conversions.iter().map(ToString::to_string).collect();
        let steps = steps.join(" and ");
        match (self.is_reused, steps.as_str()) {
            (false, "") => None,
            (false, _) => Some(format!("{name} was {steps}")),
            (true, "") => Some(format!("{name} is already there as {}", self.object)),
            (true, _) => Some(format!(
                "{name} is already there, {steps}, as {}",
                self.object
            )),
        }
    }
}

/// Uploads the text of the file; with `as_bytes`, its bytes as they are. What is there already, by its SHA-256, is not
/// uploaded again. If this is dropped meanwhile, nothing is left once the store has settled.
///
/// # Errors
///
/// Returns an error if the file can't be read, is empty, is not text or changes meanwhile, or if S3 refuses it.
pub async fn upload(
    path: &Path,
    store: &dyn Store,
    bucket: &str,
    as_bytes: bool,
    on_progress: OnProgress<'_>,
) -> Result<Uploaded, UploadError> {
    let (to_open, given_up) = (path.to_owned(), CancellationToken::new());
    let (stop, _stopped) = (given_up.clone(), given_up.drop_guard());
    let opened = spawn_blocking(move || {
        // To the end first: the key is made of what is in it.
        let content = content::digest_of(&to_open, as_bytes, &stop)?;
        Ok::<_, UploadError>((content, open(&to_open, as_bytes)?))
    });
    let broke_off = |_| UploadError::BrokeOff(path.to_owned());
    let ((sha256, bytes), opened) = opened.await.map_err(broke_off)??;
    let Opened {
        text,
        size: total,
        progress,
    } = opened;
    let conversions = text.conversions;
    let name = uploaded_name(path, &conversions);
    let key = layout::upload(&sha256, &name);
    let target = S3Uri::new(bucket, &key)?;
    if let Some(object) = find(store, &target, sha256, bytes).await {
        tracing::info!(%object, "already uploaded");
        return Ok(Uploaded {
            object,
            is_reused: true,
            conversions,
        });
    }
    on_progress(UploadProgress { sent: 0, total });
    let (shown, read) = (path.to_owned(), progress.clone());
    let unpacked = conversions.first().copied();
    let fault = move |error: &io::Error| fault_text(&shown, &read, unpacked, error);
    let same = Same {
        reader: text.reader,
        expected: sha256,
        hasher: Hasher::default(),
        progress: progress.clone(),
        path: path.to_owned(),
    };
    let body = body::body(Box::new(same), fault);
    let is_converted = !conversions.is_empty();
    store
        .upload(&target, body, sha256, &|sent| {
            // What S3 has of a converted file says nothing of how much of the file that was.
            let sent = if is_converted { progress.read() } else { sent };
            on_progress(UploadProgress { sent, total });
        })
        .await?;
    tracing::info!(%target, bytes = total, "uploaded");
    Ok(Uploaded {
        object: target,
        is_reused: false,
        conversions,
    })
}

/// Returns the object that has this content already, under this name or another. It counts only if it says by itself
/// what it was written with: whatever else was put in its place does not. What can't be found out is uploaded.
async fn find(store: &dyn Store, target: &S3Uri, sha256: Digest, bytes: u64) -> Option<S3Uri> {
    let is_it = async |at: &S3Uri| {
        let found = store.head(at).await;
        found.is_ok_and(|meta| meta.sha256 == Some(sha256) && meta.size == bytes)
    };
    if is_it(target).await {
        return Some(target.clone());
    }
    let prefix = layout::uploads_of(&sha256);
    let page = store.list_all(target.bucket(), &prefix, None).await.ok()?;
    for entry in page
        .items
        .iter()
        .filter(|entry| entry.key() != target.key())
    {
        let other = target.sibling(entry.key()).ok()?;
        if is_it(&other).await {
            return Some(other);
        }
    }
    None
}

/// A file whose text can be read.
struct Opened {
    text: Text,
    /// In bytes, before any conversion.
    size: u64,
    progress: Arc<Progress>,
}

/// Opens a file and looks at its beginning.
fn open(path: &Path, as_bytes: bool) -> Result<Opened, UploadError> {
    let file = LocalFile::open(path)?;
    let (size, progress) = (file.size(), file.progress());
    let text = if as_bytes {
        Text {
            reader: Box::new(file),
            conversions: Vec::new(),
        }
    } else {
        text_of(file).map_err(|source| UploadError::Text {
            path: path.to_owned(),
            source,
        })?
    };
    Ok(Opened {
        text,
        size,
        progress,
    })
}

/// Says why the text of a file ended before its end.
fn fault_text(
    path: &Path,
    progress: &Progress,
    first: Option<Conversion>,
    error: &io::Error,
) -> String {
    let path = path.display();
    match (progress.fault(), first) {
        (Some(fault), _) => fault.to_owned(),
        (None, Some(Conversion::Unpacked(how))) => {
            let how = how.name();
            format!("{path} can't be unpacked from {how}: {error}; nothing was written")
        }
        (None, _) => format!("{path} can't be read as text: {error}; nothing was written"),
    }
}

/// Returns the name of an uploaded file: without the suffix of a compression that was undone.
fn uploaded_name(path: &Path, conversions: &[Conversion]) -> String {
    let is_unpacked = matches!(conversions.first(), Some(Conversion::Unpacked(_)));
    let name = is_unpacked.then(|| unpacked_name(path)).flatten();
    name.unwrap_or_else(|| key_name(path))
}

/// Returns the name that the file has once it is unpacked, if its name says that it is compressed.
fn unpacked_name(path: &Path) -> Option<String> {
    let suffix = path.extension()?.to_str()?.to_ascii_lowercase();
    let is_known = ["gz", "gzip", "bz2", "zst", "xz"].contains(&suffix.as_str());
    is_known.then(|| key_name(&path.with_extension("")))
}

/// Returns whether an upload of this file got this key.
pub fn is_upload_of(path: &Path, key: &str) -> bool {
    let names = [Some(key_name(path)), unpacked_name(path)];
    let name = key.rsplit('/').next();
    names.iter().flatten().any(|known| name == Some(known))
}

/// Waits until an upload that was given up is cleared away, but not for ever.
///
/// # Errors
///
/// Returns an error if S3 does not confirm it in time.
pub async fn settle(store: &dyn Store) -> Result<(), UploadError> {
    let settled = timeout(SETTLE_TIMEOUT, store.settled()).await;
    settled.map_err(|_| UploadError::Unsettled)
}

/// Returns the path that is meant: `~/…` is the home directory's, unless there is such a path.
fn expand_home(path: &Path) -> PathBuf {
    let home = home_of(path).filter(|_| !path.exists());
    home.unwrap_or_else(|| path.to_owned())
}

/// Returns what `~/…` means, which is typed where no shell expands it.
pub fn home_of(path: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix("~").ok()?;
    Some(etcetera::home_dir().ok()?.join(rest))
}

/// Returns the file's name, with `_` for what keys and shells don't take well.
pub fn key_name(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    name.chars()
        .map(|c| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '_',
        })
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::io::Write;
    use std::sync::Mutex;

    use mrdeck_store::memory::MemoryStore;

    use super::*;

    /// More than is read at a time.
    const SIZE: usize = 400_000;

    #[test]
    fn keys_are_tame() {
        assert_eq!(key_name(Path::new("/x/Hamlet, 1.txt")), "Hamlet__1.txt");
        assert_eq!(key_name(Path::new("..")), "");
    }

    #[test]
    fn percents_are_whole_and_never_too_many() {
        let percent = |sent, total| UploadProgress { sent, total }.percent();
        assert_eq!(
            (percent(0, 0), percent(299, 300), percent(300, 300)),
            (0, 99, 100)
        );
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }

    #[tokio::test]
    async fn progress_begins_at_nothing_and_ends_at_all() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; SIZE]).unwrap();
        let store = MemoryStore::with_bucket("b");
        let told = Mutex::new(Vec::new());
        let on_progress = |progress: UploadProgress| told.lock().unwrap().push(progress.sent);
        let uploaded = upload(file.path(), &store, "b", false, &on_progress)
            .await
            .unwrap();
        assert_eq!(store.read(&uploaded.object).unwrap().len(), SIZE);
        assert_eq!(*told.lock().unwrap(), [0, SIZE as u64]);
    }

    async fn uploaded(store: &MemoryStore, path: &Path, as_bytes: bool) -> Uploaded {
        upload(path, store, "b", as_bytes, &|_| {}).await.unwrap()
    }

    #[tokio::test]
    async fn the_same_content_is_uploaded_once_under_whatever_name_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"one two").unwrap();
        let packed = packed.finish().unwrap();
        let store = MemoryStore::with_bucket("b");

        let first = uploaded(&store, &file("a.txt", b"one two"), false).await;
        assert_eq!((first.is_reused, first.note("a.txt")), (false, None));
        let wide = b"\xff\xfeo\0n\0e\0 \0t\0w\0o\0";
        for (name, bytes) in [
            ("a.txt", &b"one two"[..]),
            ("b.txt", b"one two"),
            ("a.txt.gz", &packed),
            ("w", wide),
        ] {
            let again = uploaded(&store, &file(name, bytes), false).await;
            assert_eq!(
                (&again.object, again.is_reused),
                (&first.object, true),
                "{name}"
            );
            let note = again.note(name).unwrap();
            assert!(
                note.starts_with(&format!("{name} is already there")),
                "{note}"
            );
            assert!(note.ends_with(&format!("as {}", first.object)), "{note}");
        }
        // What is as long and as old is not the same.
        let path = file("a.txt", b"one two");
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, b"one six").unwrap();
        let file_again = std::fs::File::options().write(true).open(&path).unwrap();
        file_again.set_modified(time).unwrap();
        let other = uploaded(&store, &path, false).await;
        assert!(!other.is_reused);
        assert_eq!(store.read(&other.object).unwrap(), "one six");
        let bytes = uploaded(&store, &file("a.txt.gz", &packed), true).await;
        assert_eq!(store.read(&bytes.object).unwrap(), packed);
        assert_eq!(store.keys("b").len(), 3);
    }

    #[tokio::test]
    async fn what_someone_else_put_in_its_place_is_not_taken_for_it() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one two").unwrap();
        let store = MemoryStore::with_bucket("b");
        let first = uploaded(&store, file.path(), false).await;
        store.put(&first.object, "six six".into()).await.unwrap();
        let again = uploaded(&store, file.path(), false).await;
        assert!(!again.is_reused);
        assert_eq!(store.read(&again.object).unwrap(), "one two");
    }

    #[test]
    fn a_file_that_changes_between_two_readings_is_refused() {
        let progress = Arc::new(Progress::default());
        let again = |text: &'static [u8]| {
            let mut same = Same {
                reader: text,
                expected: Digest::of(b"one two"),
                hasher: Hasher::default(),
                progress: progress.clone(),
                path: PathBuf::from("a.txt"),
            };
            io::copy(&mut same, &mut io::sink())
        };
        assert_eq!(again(b"one two").unwrap(), 7);
        let error = again(b"one six").unwrap_err().to_string();
        assert_eq!(
            error,
            "a.txt changed while it was uploaded, so nothing was written"
        );
        assert_eq!(progress.fault(), Some(error.as_str()));
    }
}
