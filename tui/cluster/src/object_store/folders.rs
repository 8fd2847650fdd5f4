//! The folders of the buckets, and what is in them.

use std::fs;
use std::io;
use std::path::Path;

use super::file_name;

/// Returns the names of the folders in a folder that can be buckets.
pub(super) fn buckets(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        names.extend(
            name.ok()
                .filter(|name| s3s::path::check_bucket_name(name) && entry.path().is_dir()),
        );
    }
    Ok(names)
}

/// Calls `look` with the path of every file below a folder, with `/` between its parts, and removes folders that are
/// empty then. Names that are not UTF-8 are left alone.
pub(super) fn walk(
    folder: &Path,
    below: &str,
    look: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            walk(folder, &path, look)?;
            // Fails for one that is not empty.
            let _ = fs::remove_dir(entry.path());
        } else {
            look(&path)?;
        }
    }
    Ok(())
}

/// Returns the long key whose hash a path is, from the file beside it.
pub(super) fn written_out_key(bucket: &str, folder: &Path, path: &str) -> Option<String> {
    let name = path.strip_suffix('%')?;
    if !name.starts_with(file_name::LONG) {
        return None;
    }
    let key = fs::read_to_string(folder.join(format!("{name}.key"))).ok()?;
    (file_name::path_of(bucket, &key) == path).then_some(key)
}

/// Returns whether a path is that of a key that is written out beside an object that is gone.
pub(super) fn is_written_out_for_nothing(folder: &Path, path: &str) -> bool {
    let name = path.strip_suffix(".key");
    name.is_some_and(|name| {
        name.starts_with(file_name::LONG) && !folder.join(format!("{name}%")).exists()
    })
}

/// Writes a key out beside the object that is named by its hash.
pub(super) fn write_out(file: &Path, key: &str) -> io::Result<()> {
    create_folder_of(file)?;
    fs::write(file, key)
}

pub(super) fn create_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}
