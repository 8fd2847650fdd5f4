//! Takes over what an older mrdeck kept, or what was put into its folder by hand: files named like their keys.

use std::io;
use std::path::Path;

use super::{file_name, keys};

/// Moves every object below `old` to `new`. Where there is one of that key already, it stays where it is.
pub(super) fn take_over(old: &Path, new: &Path) -> io::Result<()> {
    if !old.is_dir() {
        return Ok(());
    }
    for bucket in keys::folders(old)? {
        let (from, to) = (old.join(&bucket), new.join(&bucket));
        std::fs::create_dir_all(&to)?;
        keys::walk(&from, "", &mut |key| {
            let path = file_name::path_of(&bucket, key);
            let target = to.join(&path);
            if target.exists() {
                return Ok(());
            }
            if let Some(beside) = file_name::written_out(&bucket, key) {
                write_out(&to.join(beside), key)?;
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
            create_folder_of(&target)?;
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

/// Removes what uploads left that were under way when their console was killed: nobody can finish them.
pub(super) fn remove_broken_uploads(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".upload-") || name.starts_with(".upload_id-") {
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

/// Writes a key out beside the object that is named by its hash.
pub(super) fn write_out(file: &Path, key: &str) -> io::Result<()> {
    create_folder_of(file)?;
    std::fs::write(file, key)
}

fn create_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    if from.exists() {
        std::fs::rename(from, to)?;
    }
    Ok(())
}
