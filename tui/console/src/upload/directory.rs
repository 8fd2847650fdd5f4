//! A directory put into S3, file by file: each is counted as a text of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use mrdeck_core::api::MAX_CHUNKS;
use mrdeck_core::human::plural;
use mrdeck_engine::input::ObjectList;
use mrdeck_store::Store;
use tokio::task::spawn_blocking;
use walkdir::{DirEntry, WalkDir};

use super::{OnProgress, UploadError, UploadProgress, Uploaded, expand_home, upload};

/// Files that are uploaded at the same time.
const AT_A_TIME: usize = 4;

/// What is in a directory.
#[derive(Debug, Default)]
struct Contents {
    /// Those that have a byte, with their sizes, in the order of their paths.
    files: Vec<(PathBuf, u64)>,
    empty: u64,
    /// Names that begin with `_` or `.`, as Hadoop's markers and most drafts do; of a directory, all that is in it.
    hidden: u64,
    /// What is no file: pipes, devices.
    special: u64,
}

/// A directory whose files are in S3 now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedDirectory {
    /// One for each file, in the order of their paths; two files with the same content may be one object.
    pub objects: ObjectList,
    /// What was done with the files, and what was left out, in a sentence.
    pub note: String,
}

/// Returns whether this is a directory, or a link to one.
pub fn is_directory(path: &Path) -> bool {
    expand_home(path).is_dir()
}

/// Uploads the text of each file in a directory and below it; with `as_bytes`, the bytes as they are. What is there
/// already, by its SHA-256, is not uploaded again. One file that can't be uploaded fails the whole.
///
/// # Errors
///
/// Returns an error if the directory or a file can't be read, if there is no file with a byte in it or too many of them,
/// if a file is not text or changes meanwhile, or if S3 refuses one.
pub async fn upload_directory(
    path: &Path,
    store: &dyn Store,
    bucket: &str,
    as_bytes: bool,
    on_progress: OnProgress<'_>,
) -> Result<UploadedDirectory, UploadError> {
    let directory = expand_home(path);
    let found = spawn_blocking(move || walk(&directory)).await;
    let found = found.map_err(|_| UploadError::BrokeOff(path.to_owned()))??;
    if found.files.is_empty() {
        return Err(UploadError::EmptyDirectory(path.to_owned()));
    }
    let total = found.files.iter().map(|(_, size)| size).sum();
    let sent = AtomicU64::new(0);
    let uploads = found.files.iter().map(|(file, size)| {
        let sent = &sent;
        async move {
            let own = AtomicU64::new(0);
            let advance = |now: u64| {
                let before = own.fetch_max(now, Ordering::Relaxed);
                let more = now.saturating_sub(before);
                let sent = sent.fetch_add(more, Ordering::Relaxed) + more;
                on_progress(UploadProgress { sent, total });
            };
            let told = |progress: UploadProgress| advance(progress.sent);
            let uploaded = upload(file, store, bucket, as_bytes, &told).await;
            advance(*size);
            uploaded
        }
    });
    // Collected first: the compiler can't prove a stream with the borrowing closure in it Send.
    let uploads: Vec<_> = uploads.collect();
    let uploaded: Vec<Uploaded> = stream::iter(uploads)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let note = note(path, &found, &uploaded);
    let objects = uploaded.into_iter().map(|uploaded| uploaded.object);
    let Ok(objects) = ObjectList::new(objects) else {
        // There is a file, and all are in the same bucket.
        return Err(UploadError::EmptyDirectory(path.to_owned()));
    };
    Ok(UploadedDirectory { objects, note })
}

fn walk(directory: &Path) -> Result<Contents, UploadError> {
    let mut found = Contents::default();
    let entries = WalkDir::new(directory)
        .follow_links(true)
        .sort_by_file_name();
    let mut entries = entries.into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        if is_hidden(&entry) {
            found.hidden += 1;
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        }
        if entry.file_type().is_dir() {
            continue;
        }
        if !entry.file_type().is_file() {
            found.special += 1;
            continue;
        }
        let meta = entry.metadata();
        match meta.map_err(|error| unreadable(directory, error))?.len() {
            0 => found.empty += 1,
            size => found.files.push((entry.into_path(), size)),
        }
        if found.files.len() > MAX_CHUNKS as usize {
            return Err(UploadError::TooManyFiles(directory.to_owned()));
        }
    }
    Ok(found)
}

/// The directory itself may be called as it likes.
fn is_hidden(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    entry.depth() > 0 && matches!(name.first(), Some(b'_' | b'.'))
}

fn unreadable(directory: &Path, error: walkdir::Error) -> UploadError {
    let path = error.path().unwrap_or(directory).to_owned();
    let source = match error.loop_ancestor() {
        Some(above) => io::Error::other(format!("it is a link to {}, above it", above.display())),
        None => error
            .into_io_error()
            .unwrap_or_else(|| io::Error::other("it can't be followed")),
    };
    UploadError::Unreadable { path, source }
}

/// Says what was done with the files, and what was left out.
fn note(path: &Path, found: &Contents, uploaded: &[Uploaded]) -> String {
    let count = |count: usize| count as u64;
    let reused = uploaded.iter().filter(|file| file.is_reused).count();
    let converted = uploaded
        .iter()
        .filter(|file| !file.conversions.is_empty())
        .count();
    let mut parts = vec![format!(
        "{}: {}",
        path.display(),
        plural(count(uploaded.len()), "file")
    )];
    if reused > 0 {
        parts.push(format!("{reused} there already"));
    }
    if converted > 0 {
        parts.push(format!("{converted} unpacked or converted to UTF-8"));
    }
    if found.hidden > 0 {
        let names = plural(found.hidden, "name");
        parts.push(format!("{names} beginning with '_' or '.' left out"));
    }
    if found.empty > 0 {
        parts.push(format!("{} left out", plural(found.empty, "empty file")));
    }
    if found.special > 0 {
        parts.push(format!(
            "{} left out",
            plural(found.special, "special file")
        ));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::Mutex;

    use mrdeck_store::memory::MemoryStore;

    use super::*;

    fn write(directory: &Path, name: &str, text: &[u8]) {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn resolve(path: &Path, store: &MemoryStore) -> Result<UploadedDirectory, UploadError> {
        upload_directory(path, store, "b", false, &|_| {}).await
    }

    #[tokio::test]
    async fn each_file_is_uploaded_once_and_what_is_left_out_is_said() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("b.txt", &b"two"[..]),
            ("sub/a.txt", b"three"),
            ("a.txt", b"one"),
            ("again.txt", b"one"),
            ("_SUCCESS", b"x"),
            (".git/config", b"x"),
            ("empty", b""),
        ] {
            write(dir.path(), name, text);
        }
        let store = MemoryStore::with_bucket("b");
        let progress = Mutex::new(Vec::new());
        let told = |progress_now: UploadProgress| progress.lock().unwrap().push(progress_now);
        let first = upload_directory(dir.path(), &store, "b", false, &told)
            .await
            .unwrap();
        // Two files are the same text, which counts twice.
        let mut texts = Vec::new();
        for uri in first.objects.as_slice() {
            texts.push(mrdeck_engine::read_all(&store, uri).await.unwrap());
        }
        assert_eq!(texts, [&b"one"[..], b"one", b"two", b"three"]);
        let last = *progress.lock().unwrap().last().unwrap();
        assert_eq!((last.sent, last.total), (14, 14));
        let shown = dir.path().display();
        let left_out = "2 names beginning with '_' or '.' left out, 1 empty file left out";
        let note = first.note.replace(", 1 there already", "");
        assert_eq!(note, format!("{shown}: 4 files, {left_out}"));
        let again = resolve(dir.path(), &store).await.unwrap();
        assert_eq!(again.objects.as_slice().len(), 4);
        assert!(again.note.contains("4 files, 4 there already"));
    }

    #[tokio::test]
    async fn a_directory_without_a_text_is_refused_by_the_name_of_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::with_bucket("b");
        write(dir.path(), "_only", b"x");
        let error = resolve(dir.path(), &store).await.unwrap_err();
        assert!(matches!(error, UploadError::EmptyDirectory(_)), "{error}");
        write(dir.path(), "sub/a.txt", b"one");
        write(dir.path(), "sub/b.png", b"\x89PNG\r\n\x1a\n\0\0");
        let error = resolve(dir.path(), &store).await.unwrap_err();
        assert!(error.to_string().contains("sub/b.png is"), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_to_a_directory_above_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.txt", b"one");
        std::os::unix::fs::symlink(dir.path(), dir.path().join("round")).unwrap();
        let store = MemoryStore::with_bucket("b");
        let error = resolve(dir.path(), &store).await.unwrap_err();
        assert!(error.to_string().contains("round can't be read"), "{error}");
    }
}
