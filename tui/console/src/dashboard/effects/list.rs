//! What the browser and the input line ask of the outside: a page of a list from S3, names from a local folder.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use mrdeck_store::{Page, Store, StoreError};

use crate::dashboard::model::PathCompletion;
use crate::dashboard::model::{Item, ListAnswer, ListRequest, Location};
use crate::upload::home_of;
use mrdeck_core::diagnostic::Diagnostic;

/// More completions than this help nobody.
const MOST_COMPLETIONS: usize = 1_000;

pub async fn list(store: Option<Arc<dyn Store>>, request: &ListRequest) -> ListAnswer {
    let Some(store) = store else {
        return ListAnswer::Failed(Diagnostic::new(
            "there is no connection to S3",
            "ctrl-r on the panels connects again",
        ));
    };
    match page(store.as_ref(), request).await {
        Ok(page) => ListAnswer::Page(page),
        Err(error @ StoreError::Denied { .. }) => {
            let (permission, instead) = match request.location {
                Location::Buckets => ("s3:ListAllMyBuckets", "type s3://BUCKET/ after i"),
                Location::Folder { .. } => ("s3:ListBucket", "type s3://BUCKET/KEY after i"),
            };
            let advice = format!("ask for the permission {permission}, or {instead}");
            ListAnswer::Denied(Diagnostic::new(error.to_string(), advice))
        }
        Err(error) => ListAnswer::Failed(Diagnostic::from(&error)),
    }
}

async fn page(store: &dyn Store, request: &ListRequest) -> Result<Page<Item>, StoreError> {
    let from = request.from.as_deref();
    match &request.location {
        Location::Buckets => store.buckets(from).await.map(items),
        Location::Folder { bucket, prefix } => {
            let prefix = format!("{prefix}{}", request.beginning);
            store.list(bucket, &prefix, from).await.map(items)
        }
    }
}

fn items<T: Into<Item>>(page: Page<T>) -> Page<Item> {
    Page {
        items: page.items.into_iter().map(Into::into).collect(),
        next: page.next,
    }
}

/// What in the folder of a path begins like its last part.
pub fn complete(typed: String) -> PathCompletion {
    let home = home_of(Path::new(&typed));
    let path = home.map_or_else(|| typed.clone(), |home| home.to_string_lossy().into_owned());
    let (folder, beginning) = match path.rfind(MAIN_SEPARATOR) {
        Some(slash) => path.split_at(slash + 1),
        None => ("", path.as_str()),
    };
    let found = names(folder, beginning).map_err(|error| {
        let shown = if folder.is_empty() { "." } else { folder };
        Diagnostic::new(format!("{shown} can't be read: {error}"), "")
    });
    let found = found.and_then(|found| {
        if found.is_empty() {
            let cause = format!("nothing begins with {path}");
            return Err(Diagnostic::new(cause, ""));
        }
        Ok(found)
    });
    PathCompletion { typed, found }
}

fn names(folder: &str, beginning: &str) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let read = if folder.is_empty() { "." } else { folder };
    for entry in std::fs::read_dir(read)? {
        let entry = entry?;
        // A name that is no text can't be typed either.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_hidden = name.starts_with('.') && !beginning.starts_with('.');
        if is_hidden || !name.starts_with(beginning) {
            continue;
        }
        let is_folder = PathBuf::from(read).join(&name).is_dir();
        let end = if is_folder { "/" } else { "" };
        found.push(format!("{folder}{name}{end}"));
        if found.len() == MOST_COMPLETIONS {
            break;
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_path_is_completed_from_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b two.txt", "b one.txt", "a", ".hidden"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(dir.path().join("beyond")).unwrap();
        let root = dir.path().to_str().unwrap();
        let found = |typed: &str| {
            let found = complete(format!("{root}/{typed}")).found;
            found.map(|paths| -> Vec<String> {
                let names = paths.iter().map(|path| path[root.len() + 1..].to_owned());
                names.collect()
            })
        };
        assert_eq!(found("b").unwrap(), ["b one.txt", "b two.txt", "beyond/"]);
        assert_eq!(found("").unwrap().len(), 4);
        assert_eq!(found(".h").unwrap(), [".hidden"]);
        for bad in ["nothing", "no/such"] {
            assert!(found(bad).is_err(), "{bad}");
        }
    }
}
