//! A page of the browser's list, from S3.

use mrdeck_store::{Page, Store, StoreError};

use super::Link;
use crate::dashboard::model::{Item, ListAnswer, ListRequest, Location, Msg, Whole};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::input::ObjectPattern;
use mrdeck_engine::{FindError, find};

/// Pages of 1,000 keys that are read to count a folder.
const COUNTED_PAGES: usize = 20;

pub(super) async fn list(link: Link, request: ListRequest) -> Msg {
    let answer = match link {
        Ok(connection) => answer(connection.store.as_ref(), &request).await,
        Err(diagnostic) => ListAnswer::Failed(diagnostic),
    };
    Msg::Listed(request, answer)
}

/// Counts what is below a folder, for as long as that takes few calls.
pub(super) async fn count(link: Link, pattern: ObjectPattern) -> Msg {
    let whole = match link {
        // The list of the entries says what failed.
        Err(_) => Whole::Unknown,
        Ok(connection) => match find(connection.store.as_ref(), &pattern, COUNTED_PAGES).await {
            Ok(found) => Whole::Counted {
                objects: found.objects.len(),
                bytes: found.bytes,
            },
            Err(FindError::TooMany) => Whole::TooMany,
            Err(FindError::CutShort | FindError::Store(_)) => Whole::Unknown,
        },
    };
    Msg::Counted(pattern, whole)
}

async fn answer(store: &dyn Store, request: &ListRequest) -> ListAnswer {
    match page(store, request).await {
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
