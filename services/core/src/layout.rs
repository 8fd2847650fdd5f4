//! The keys of a run's objects in its bucket, for the services that write them and the console that reads them.

use crate::digest::Digest;

/// The prefix of everything that mrdeck and its services write, unless they are told another.
pub const ROOT: &str = "mr/";
/// The prefix of all local files that were uploaded.
pub const UPLOADS: &str = "mr/uploads/";
/// The prefix of the objects of all runs.
pub const RUNS: &str = "mr/runs/";

/// Returns the key of an uploaded file, by the content of the object and the file's name.
pub fn upload(content: &Digest, name: &str) -> String {
    format!("{UPLOADS}{content}/{name}")
}

/// Returns the prefix of all uploads with this content; it ends with `/`.
pub fn uploads_of(content: &Digest) -> String {
    format!("{UPLOADS}{content}/")
}

/// Returns the name that an uploaded file has on its machine; `None` for a key that is no upload's.
pub fn uploaded_name(key: &str) -> Option<&str> {
    let (content, name) = key.strip_prefix(UPLOADS)?.split_once('/')?;
    let is_upload = content.parse::<Digest>().is_ok() && !name.is_empty();
    is_upload.then_some(name)
}

/// Returns the prefix of all objects of a run; it ends with `/`.
pub fn run(run: &str) -> String {
    format!("{RUNS}{run}/")
}

/// Returns the key of the copy of chunk `index` that an attempt at the split made; the index has `width` digits.
pub fn chunk(run: &str, attempt: &str, index: usize, width: usize) -> String {
    format!("mr/runs/{run}/chunks/a{attempt}/chunk{index:0width$}.txt")
}

/// Returns the key of a chunk's counts that an attempt at its map made.
pub fn map_output(run: &str, chunk: &str, attempt: &str) -> String {
    format!("mr/runs/{run}/maps/chunk{chunk}-a{attempt}.json")
}

/// Returns the prefix of all map outputs; it ends with `/`.
pub fn map_outputs(run: &str) -> String {
    format!("mr/runs/{run}/maps/")
}

/// Returns the key of the final counts that an attempt at the reduce made.
pub fn reduce_output(run: &str, attempt: &str) -> String {
    format!("mr/runs/{run}/reduce/final-a{attempt}.json")
}

/// Returns the prefix of all final counts; it ends with `/`.
pub fn reduce_outputs(run: &str) -> String {
    format!("mr/runs/{run}/reduce/")
}

/// Returns the key of the run's manifest, written once, before the first map.
pub fn plan(run: &str) -> String {
    format!("mr/runs/{run}/plan.json")
}

/// Returns the key of the record of success, written once, at the end of the run.
pub fn success(run: &str) -> String {
    format!("mr/runs/{run}/success.json")
}

/// Returns the key of the heartbeats of lease `number`, counted from 1.
pub fn claim(run: &str, number: u32) -> String {
    format!("mr/runs/{run}/claims/{number}.json")
}

/// Returns the prefix of all leases' heartbeats; it ends with `/`.
pub fn claims(run: &str) -> String {
    format!("mr/runs/{run}/claims/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_called_what_the_file_is_called() {
        let content = Digest::of(b"text");
        for name in ["h.txt", "a/b", "/", "é"] {
            let key = upload(&content, name);
            assert_eq!(uploaded_name(&key), Some(name));
        }
        let empty = uploads_of(&content);
        for key in ["mr/uploads/x.txt", "mr/uploads/abc/x.txt", "x.txt", &empty] {
            assert_eq!(uploaded_name(key), None);
        }
    }
}
