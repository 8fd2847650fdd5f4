//! Takes over what an older mrdeck kept, or what was put into its folder by hand: files named like their keys, and what
//! s3s-fs, which served them, knew of each in two files beside the buckets.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::description::{Checksums, Description, Stamp};
use super::{file_name, folders};

/// Moves every object below `old` to `new`. Where there is one of that key already, it stays where it is.
pub(super) fn take_over(old: &Path, new: &Path) -> io::Result<()> {
    if !old.is_dir() {
        return Ok(());
    }
    for bucket in folders::buckets(old)? {
        let (from, to) = (old.join(&bucket), new.join(&bucket));
        std::fs::create_dir_all(&to)?;
        folders::walk(&from, "", &mut |key| {
            let path = file_name::path_of(&bucket, key);
            let target = to.join(&path);
            if target.exists() {
                return Ok(());
            }
            if let Some(beside) = file_name::written_out(&bucket, key) {
                folders::write_out(&to.join(beside), key)?;
            }
            let moved = [
                file_name::attributes(&bucket, key),
                file_name::attributes(&bucket, &path),
            ];
            let [before, after] = moved;
            for (before, after) in before.iter().zip(after) {
                move_if_there(&old.join(before), &new.join(after))?;
            }
            // Last: as long as it is there, the rest is done again after a crash.
            folders::create_folder_of(&target)?;
            std::fs::rename(from.join(key), target)
        })?;
        // Fails if something had to stay.
        let _ = std::fs::remove_dir(from);
    }
    // What is left beside the buckets belonged to objects that are gone.
    if std::fs::read_dir(old)?.all(|entry| entry.is_ok_and(|entry| is_internal(&entry.file_name())))
    {
        std::fs::remove_dir_all(old)?;
    }
    Ok(())
}

/// Returns what s3s-fs knew of an object; `None` if it knew nothing.
pub(super) fn description(
    root: &Path,
    bucket: &str,
    path: &str,
    stamp: Stamp,
) -> io::Result<Option<Description>> {
    let [attributes, internal] =
        file_name::attributes(bucket, path).map(|name| read_if_there(&root.join(name)));
    let Some(internal) = internal? else {
        return Ok(None);
    };
    // One that is not understood is as none.
    let Ok(internal) = serde_json::from_slice::<Internal>(&internal) else {
        return Ok(None);
    };
    let attributes = attributes?.and_then(|json| serde_json::from_slice(&json).ok());
    Ok(Some(Description {
        stamp,
        etag: internal.e_tag,
        attributes: attributes.unwrap_or_default(),
        checksums: internal.checksums,
    }))
}

/// Removes the files that s3s-fs made for itself. The uploads among them were under way when their console was killed:
/// nobody can finish them.
pub(super) fn remove_attributes(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if is_internal(&entry.file_name()) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Returns whether s3s-fs made a file of this name for itself.
fn is_internal(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    [".bucket-", ".upload-", ".upload_id-", ".tmp."]
        .iter()
        .any(|start| name.starts_with(start))
}

/// What s3s-fs keeps of an object's bytes.
#[derive(Deserialize)]
struct Internal {
    e_tag: String,
    #[serde(flatten)]
    checksums: Checksums,
}

fn read_if_there(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    if from.exists() {
        std::fs::rename(from, to)?;
    }
    Ok(())
}
